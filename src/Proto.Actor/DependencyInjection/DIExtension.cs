namespace Proto.DependencyInjection;

/// <summary>The service provider of an actor system.</summary>
public sealed class DIExtension(IDependencyResolver resolver) : IActorSystemExtension<DIExtension>
{
    public IDependencyResolver Resolver { get; } = resolver;
}
