namespace Proto;

/// <summary>Restarts the failed child after a pause that doubles with every failure.</summary>
/// <param name="backoffWindow">A child that did not fail for this long starts over with the first pause; also the longest pause.</param>
/// <param name="initialBackoff">The first pause.</param>
public sealed class ExponentialBackoffStrategy(TimeSpan backoffWindow, TimeSpan initialBackoff) : ISupervisorStrategy
{
    public void HandleFailure(ISupervisor supervisor, PID child, RestartStatistics rs, Exception cause, object? message)
    {
        if (rs.SinceLastFailure > backoffWindow) rs.Reset();
        rs.Fail();

        var pause = Backoff.After(rs.FailureCount, initialBackoff, backoffWindow);
        var time = (supervisor as ISystemContext)?.System.Config.TimeProvider ?? TimeProvider.System;
        OneShotTimer.Start(time, pause, () => supervisor.RestartChildren(cause, child));
    }
}

internal static class Backoff
{
    /// <summary>initial · 2^(failures − 1), at most the limit.</summary>
    public static TimeSpan After(int failures, TimeSpan initial, TimeSpan limit)
    {
        var ticks = initial.Ticks * Math.Pow(2, Math.Min(failures, 63) - 1);
        return ticks >= limit.Ticks ? limit : TimeSpan.FromTicks((long)ticks);
    }
}
