using System.Collections.Concurrent;

namespace Proto.Cluster;

/// <summary>
/// A token that ends with the first of three others: a linked source whose parts are used again, because every request needs one.
/// </summary>
sealed class AttemptToken
{
    const int MaxPooled = 1024;

    static readonly ConcurrentQueue<AttemptToken> Pool = new();

    readonly CancellationTokenSource _source = new();
    CancellationTokenRegistration _caller;
    CancellationTokenRegistration _deadline;
    CancellationTokenRegistration _lost;

    public CancellationToken Token => _source.Token;

    public static AttemptToken Rent(CancellationToken caller, CancellationToken deadline, CancellationToken lost)
    {
        if (!Pool.TryDequeue(out var attempt)) attempt = new AttemptToken();
        attempt._caller = Register(attempt, caller);
        attempt._deadline = Register(attempt, deadline);
        attempt._lost = Register(attempt, lost);
        return attempt;
    }

    /// <summary>Nobody may use the token afterwards.</summary>
    public void Return()
    {
        // Dispose waits for a callback that runs: afterwards none of the three can cancel the next user's attempt.
        _caller.Dispose();
        _deadline.Dispose();
        _lost.Dispose();
        if (!_source.TryReset()) _source.Dispose();
        else if (Pool.Count < MaxPooled) Pool.Enqueue(this);
    }

    static CancellationTokenRegistration Register(AttemptToken attempt, CancellationToken token) =>
        token.UnsafeRegister(static state => ((AttemptToken)state!)._source.Cancel(), attempt);
}
