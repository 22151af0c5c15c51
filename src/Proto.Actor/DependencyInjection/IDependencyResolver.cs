namespace Proto.DependencyInjection;

/// <summary>
/// Props of actors that a service provider creates. Every instance, also one after a restart, has a service scope of its own, which is disposed
/// when the instance has ended. An actor type that is registered as a service is resolved, and belongs to the provider; any other is constructed
/// with services for its parameters, and is disposed before its scope.
/// </summary>
public interface IDependencyResolver
{
    Props PropsFor<TActor>() where TActor : IActor;

    /// <param name="args">Arguments of the constructor that are not services, matched by type.</param>
    Props PropsFor<TActor>(params object[] args) where TActor : IActor;

    /// <exception cref="ArgumentException">The type is no <see cref="IActor"/>.</exception>
    Props PropsFor(Type actorType);
}
