namespace Proto;

/// <summary>Treats the failed child alone.</summary>
/// <param name="decider">What to do with a failure.</param>
/// <param name="maxNrOfRetries">Restarts allowed within the period; the failure after them stops the child.</param>
/// <param name="withinTimeSpan">The period; null: the child's whole life.</param>
public sealed class OneForOneStrategy(Decider decider, int maxNrOfRetries, TimeSpan? withinTimeSpan) : ISupervisorStrategy
{
    public void HandleFailure(ISupervisor supervisor, PID child, RestartStatistics rs, Exception cause, object? message)
    {
        switch (decider(child, cause))
        {
            case SupervisorDirective.Resume:
                supervisor.ResumeChildren(child);
                break;
            case SupervisorDirective.Restart when RetryLimit.Allows(rs, maxNrOfRetries, withinTimeSpan):
                supervisor.RestartChildren(cause, child);
                break;
            case SupervisorDirective.Restart or SupervisorDirective.Stop:
                supervisor.StopChildren(child);
                break;
            case SupervisorDirective.Escalate:
                supervisor.EscalateFailure(cause, message);
                break;
        }
    }
}

/// <summary>Restarts or stops all children when one fails: for children that make no sense without each other.</summary>
/// <param name="decider">What to do with a failure.</param>
/// <param name="maxNrOfRetries">Restarts allowed within the period, counted for the child that fails; the failure after them stops all.</param>
/// <param name="withinTimeSpan">The period; null: the child's whole life.</param>
public sealed class AllForOneStrategy(Decider decider, int maxNrOfRetries, TimeSpan? withinTimeSpan) : ISupervisorStrategy
{
    public void HandleFailure(ISupervisor supervisor, PID child, RestartStatistics rs, Exception cause, object? message)
    {
        switch (decider(child, cause))
        {
            case SupervisorDirective.Resume:
                supervisor.ResumeChildren(child);
                break;
            case SupervisorDirective.Restart when RetryLimit.Allows(rs, maxNrOfRetries, withinTimeSpan):
                supervisor.RestartChildren(cause, [.. supervisor.Children]);
                break;
            case SupervisorDirective.Restart or SupervisorDirective.Stop:
                supervisor.StopChildren([.. supervisor.Children]);
                break;
            case SupervisorDirective.Escalate:
                supervisor.EscalateFailure(cause, message);
                break;
        }
    }
}

/// <summary>Restarts the failed child every time.</summary>
public sealed class AlwaysRestartStrategy : ISupervisorStrategy
{
    public void HandleFailure(ISupervisor supervisor, PID child, RestartStatistics rs, Exception cause, object? message) =>
        supervisor.RestartChildren(cause, child);
}

internal static class RetryLimit
{
    /// <summary>Counts this failure. Zero retries: never; negative: always.</summary>
    public static bool Allows(RestartStatistics statistics, int maxRetries, TimeSpan? within)
    {
        statistics.Fail();
        return maxRetries < 0 || statistics.NumberOfFailures(within) <= maxRetries;
    }
}
