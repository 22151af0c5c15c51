namespace Proto.Extensions;

/// <summary>
/// Implemented by a registered extension that has something to stop when its system shuts down. Extensions are called in the reverse order of
/// their registration (the cluster before the remoting that it uses); one that throws or exceeds its time hinders neither the others nor the shutdown.
/// </summary>
/// <remarks>
/// An extension may be stopping already, and may itself have asked for the system's shutdown: what it returns then must not wait for its own end.
/// A call of <see cref="ActorSystem.ShutdownAsync"/> from inside these methods returns at once.
/// </remarks>
public interface IActorSystemLifecycle
{
    /// <summary>The longest that each of the methods may take, by the system's clock.</summary>
    TimeSpan ShutdownTimeout => TimeSpan.FromSeconds(10);

    /// <summary>All actors still run: time to say goodbye to other systems.</summary>
    Task BeforeActorsStopAsync(string reason) => Task.CompletedTask;

    /// <summary>The actors have stopped, or did not within the time that they have.</summary>
    Task AfterActorsStoppedAsync(string reason) => Task.CompletedTask;
}
