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
    private Shared? _latest; // most systems use one timeout: found without the dictionary

    public CancellationToken After(TimeSpan timeout)
    {
        if (timeout == Timeout.InfiniteTimeSpan) return CancellationToken.None;

        var now = time.GetTimestamp();
        var latest = Volatile.Read(ref _latest);
        return latest is not null && latest.Timeout == timeout && now <= latest.SharedUntil ? latest.Token : Find(timeout, now).Token;
    }

    private Shared Find(TimeSpan timeout, long now)
    {
        if (!_shared.TryGetValue(timeout, out var shared) || now > shared.SharedUntil)
        {
            var isKnown = shared is not null;
            var share = timeout / SharePart;
            var sharedUntil = now + (long)(share.TotalSeconds * time.TimestampFrequency);
            shared = new Shared(timeout, sharedUntil, new CancellationTokenSource(timeout + share, time).Token);
            if (isKnown || _shared.Count < MaxShared) _shared[timeout] = shared;
        }

        Volatile.Write(ref _latest, shared);
        return shared;
    }

    /// <param name="Timeout">What the token was asked for.</param>
    /// <param name="SharedUntil">The last timestamp at which a request may still get it.</param>
    /// <param name="Token">Ends no earlier than the timeout after that.</param>
    private sealed record Shared(TimeSpan Timeout, long SharedUntil, CancellationToken Token);
}
