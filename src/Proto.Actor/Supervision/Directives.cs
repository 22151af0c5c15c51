namespace Proto;

/// <summary>What a supervisor does with a failed child.</summary>
public enum SupervisorDirective
{
    /// <summary>Go on with the next message.</summary>
    Resume,

    /// <summary>Replace the instance; the mailbox is kept.</summary>
    Restart,

    Stop,

    /// <summary>Fail in turn, so that the supervisor's supervisor decides.</summary>
    Escalate,
}

public delegate SupervisorDirective Decider(PID pid, Exception reason);

/// <summary>What a strategy can do to the children it supervises.</summary>
public interface ISupervisor
{
    IReadOnlyCollection<PID> Children { get; }

    void EscalateFailure(Exception reason, object? message);

    void RestartChildren(Exception reason, params PID[] pids);

    void StopChildren(params PID[] pids);

    void ResumeChildren(params PID[] pids);
}

/// <summary>Decides what happens to a failed child. Runs in the supervisor's turn; an instance may serve many supervisors.</summary>
public interface ISupervisorStrategy
{
    void HandleFailure(ISupervisor supervisor, PID child, RestartStatistics rs, Exception cause, object? message);
}

public static class Supervision
{
    /// <summary>One for one: restart, at most 10 times in 10 seconds, then stop.</summary>
    public static ISupervisorStrategy DefaultStrategy { get; } =
        new OneForOneStrategy(static (_, _) => SupervisorDirective.Restart, 10, TimeSpan.FromSeconds(10));

    /// <summary>Restarts without limit; an instance that cannot start is retried with growing pauses.</summary>
    public static ISupervisorStrategy AlwaysRestartStrategy { get; } = new AlwaysRestartStrategy();
}
