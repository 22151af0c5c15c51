using Microsoft.Extensions.DependencyInjection;

namespace Proto.DependencyInjection;

/// <summary>The services of one instance of an actor. Kept in the actor's context, so that the engine ends it with the instance.</summary>
internal sealed class InstanceScope : IAsyncDisposable
{
    private readonly AsyncServiceScope? _scope; // null: the provider knows no scopes

    private InstanceScope(IServiceProvider services)
    {
        _scope = services.GetService<IServiceScopeFactory>()?.CreateAsyncScope();
        Services = _scope?.ServiceProvider ?? services;
    }

    public IServiceProvider Services { get; }

    /// <summary>The provider disposes the actor, or keeps it for others.</summary>
    public bool OwnsActor { get; set; }

    /// <summary>Begins the scope before the instance is made: when that fails, the engine still finds what to dispose.</summary>
    public static InstanceScope Begin(IServiceProvider services, IContext context)
    {
        var scope = new InstanceScope(services);
        context.Set(scope);
        return scope;
    }

    public ValueTask DisposeAsync() => _scope?.DisposeAsync() ?? default;
}
