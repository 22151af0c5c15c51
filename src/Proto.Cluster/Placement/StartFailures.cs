namespace Proto.Cluster.Placement;

/// <summary>
/// Identities whose actor failed to start lately. Until its pause is over an identity is not started again: whoever asks for it gets the
/// cause at once. The pause doubles with every failure in a row.
/// </summary>
sealed class StartFailures(TimeProvider time)
{
    /// <summary>Beyond it the oldest are forgotten; that costs an attempt, no more.</summary>
    internal const int MaxRemembered = 10_000;

    static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(100);
    static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    readonly Dictionary<ClusterIdentity, Entry> _failures = [];
    readonly Queue<ClusterIdentity> _order = new();

    sealed record Entry(int Count, long Since, Exception Cause);

    public void Add(ClusterIdentity identity, Exception cause)
    {
        if (_failures.TryGetValue(identity, out var before))
        {
            _failures[identity] = new Entry(before.Count + 1, time.GetTimestamp(), cause);
            return;
        }

        if (_order.Count == MaxRemembered) _failures.Remove(_order.Dequeue());
        _order.Enqueue(identity);
        _failures.Add(identity, new Entry(1, time.GetTimestamp(), cause));
    }

    /// <summary>It was started: the next failure is the first of another row.</summary>
    public void Succeeded(ClusterIdentity identity) => _failures.Remove(identity);

    /// <summary>Why the identity shall not be started now; null when it may be.</summary>
    public Exception? CauseToWait(ClusterIdentity identity) =>
        _failures.Count > 0 && _failures.TryGetValue(identity, out var failure)
        && time.GetElapsedTime(failure.Since) < Backoff.After(failure.Count, FirstPause, LongestPause)
            ? failure.Cause
            : null;
}
