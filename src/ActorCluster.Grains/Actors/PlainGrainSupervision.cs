using Proto;

namespace ActorCluster.Grains.Actors;

/// <summary>
/// Supervises a plain virtual actor: one that fails to start is stopped and its failure told at once, so that the caller
/// gets a typed error with the cause instead of a timeout; one that fails later is restarted, with a limit.
/// </summary>
sealed class PlainGrainSupervision(Action<Exception> startFailed) : ISupervisorStrategy
{
    readonly ISupervisorStrategy _later = new OneForOneStrategy((_, _) => SupervisorDirective.Restart, 10, TimeSpan.FromSeconds(10));

    public void HandleFailure(ISupervisor supervisor, PID child, RestartStatistics rs, Exception reason, object? message)
    {
        if (message is Started)
        {
            startFailed(reason);
            supervisor.StopChildren(child);
            return;
        }

        _later.HandleFailure(supervisor, child, rs, reason, message);
    }
}
