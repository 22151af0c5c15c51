using System.Collections.Concurrent;

namespace Proto;

/// <summary>
/// Tokens that are cancelled after a timeout. Requests with the same timeout that begin at nearly the same time share one, so that a request
/// costs no timer; a token may be up to 2 % of its timeout late, and never early.
/// </summary>
internal sealed class DeadlineTokens(TimeProvider time)
{
    private const int SharePart = 50;
    private const int MaxShared = 64;

    private readonly ConcurrentDictionary<TimeSpan, Shared> _shared = new();

    public CancellationToken After(TimeSpan timeout)
    {
        if (timeout == Timeout.InfiniteTimeSpan) return CancellationToken.None;

        var now = time.GetTimestamp();
        if (_shared.TryGetValue(timeout, out var current) && time.GetElapsedTime(current.Created, now) <= timeout / SharePart) return current.Token;

        var shared = new Shared(now, new CancellationTokenSource(timeout + timeout / SharePart, time).Token);
        if (current is not null || _shared.Count < MaxShared) _shared[timeout] = shared;
        return shared.Token;
    }

    private sealed record Shared(long Created, CancellationToken Token);
}
