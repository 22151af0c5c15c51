namespace Proto.DependencyInjection;

public static class Extensions
{
    /// <summary>Lets the system's actors be made with the services of this provider, see <see cref="DI"/>.</summary>
    public static ActorSystem WithServiceProvider(this ActorSystem actorSystem, IServiceProvider serviceProvider)
    {
        actorSystem.Extensions.Register(new DIExtension(new DependencyResolver(serviceProvider)));
        return actorSystem;
    }

    /// <summary>Makes Props of actors that the service provider creates.</summary>
    /// <exception cref="InvalidOperationException">The system has no service provider.</exception>
    public static IDependencyResolver DI(this ActorSystem system) =>
        system.Extensions.GetRequired<DIExtension>("the actor system has no service provider: add it with WithServiceProvider").Resolver;
}
