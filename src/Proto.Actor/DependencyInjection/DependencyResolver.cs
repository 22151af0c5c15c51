using Microsoft.Extensions.DependencyInjection;

namespace Proto.DependencyInjection;

internal sealed class DependencyResolver(IServiceProvider services) : IDependencyResolver
{
    public Props PropsFor<TActor>() where TActor : IActor => PropsFor(typeof(TActor));

    public Props PropsFor<TActor>(params object[] args) where TActor : IActor
    {
        var create = ActivatorUtilities.CreateFactory(typeof(TActor), [.. args.Select(static arg => arg.GetType())]);
        return Props.FromProducer((_, context) => (IActor)create(InstanceScope.Begin(services, context).Services, args));
    }

    public Props PropsFor(Type actorType)
    {
        if (!typeof(IActor).IsAssignableFrom(actorType)) throw new ArgumentException($"{actorType} is no {nameof(IActor)}", nameof(actorType));

        return Props.FromProducer((_, context) =>
        {
            var scope = InstanceScope.Begin(services, context);
            if (services.GetService<IServiceProviderIsService>()?.IsService(actorType) != true)
            {
                return (IActor)ActivatorUtilities.CreateInstance(scope.Services, actorType);
            }

            scope.OwnsActor = true;
            return (IActor)scope.Services.GetRequiredService(actorType);
        });
    }
}
