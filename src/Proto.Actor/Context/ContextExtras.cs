namespace Proto;

/// <summary>What most actors never need; made when first used, to keep an idle actor small.</summary>
internal sealed class ContextExtras
{
    public readonly PidSet Children = new();
    public PidSet? Watchers;
    public IContext? Decorated;
    public ContextStore? Store;
    public RestartStatistics? RestartStatistics;
    public CancellationTokenSource? Cancellation;

    /// <summary>Failures in a row before <see cref="Started"/> was handled.</summary>
    public int StartFailures;

    /// <summary>What the supervisor has not decided on yet, or what it stopped the actor for.</summary>
    public Exception? LastFailure;

    public OneShotTimer? RestartTimer;

    /// <summary>The child whose failure the supervisor strategy is deciding on right now.</summary>
    public PID? JudgedChild;

    /// <summary>Suspended children whose failure was passed on.</summary>
    public PidSet? EscalatedChildren;

    /// <summary>Continuations and terminations that came while the actor waits for its supervisor's decision.</summary>
    public List<SystemMessage>? Deferred;

    public TimeSpan ReceiveTimeout;
    public ITimer? ReceiveTimer;

    /// <summary>Timestamp of the last message that counts for the receive timeout.</summary>
    public long LastReceived;
}
