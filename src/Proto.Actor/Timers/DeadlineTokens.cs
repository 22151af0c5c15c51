using System.Collections.Concurrent;

namespace Proto;

/// <summary>
/// Tokens that are cancelled after a timeout. Requests with the same timeout that begin at nearly the same time share a few, so that a
/// request costs no timer; a token may be up to 2 % of its timeout late, and never early.
/// </summary>
internal sealed class DeadlineTokens(TimeProvider time)
{
    private const int SharePart = 50;
    private const int MaxShared = 64;

    private readonly ConcurrentDictionary<TimeSpan, Window> _windows = new();
    private Window? _latest; // most systems use one timeout: found without the dictionary

    public CancellationToken After(TimeSpan timeout)
    {
        if (timeout == Timeout.InfiniteTimeSpan) return CancellationToken.None;

        var now = time.GetTimestamp();
        var latest = Volatile.Read(ref _latest);
        return (latest is not null && latest.Timeout == timeout && now <= latest.Until ? latest : Find(timeout, now)).TokenAt(now);
    }

    private Window Find(TimeSpan timeout, long now)
    {
        if (!_windows.TryGetValue(timeout, out var window) || now > window.Until)
        {
            var isKnown = window is not null;
            var until = now + (long)((timeout / SharePart).TotalSeconds * time.TimestampFrequency);
            window = new Window(timeout, until, time);
            if (isKnown || _windows.Count < MaxShared) _windows[timeout] = window;
        }

        Volatile.Write(ref _latest, window);
        return window;
    }

    /// <summary>
    /// The tokens of requests that begin until a timestamp. Several, although one would do: each request registers with its token and
    /// leaves it again, mostly on another thread, and a source takes a lock for either.
    /// </summary>
    private sealed class Window(TimeSpan timeout, long until, TimeProvider time)
    {
        private const int Spread = 32;

        private readonly CancellationTokenSource?[] _sources = new CancellationTokenSource?[Spread];

        public TimeSpan Timeout => timeout;

        public long Until => until;

        /// <summary>A token that ends when the timeout has passed since the end of the window. Low bits of the time choose: nothing is counted.</summary>
        public CancellationToken TokenAt(long now)
        {
            ref var source = ref _sources[(int)(now >> 3) & (Spread - 1)];
            return (Volatile.Read(ref source) ?? Make(ref source, now)).Token;
        }

        private CancellationTokenSource Make(ref CancellationTokenSource? source, long now)
        {
            var made = new CancellationTokenSource(timeout + time.GetElapsedTime(now, until), time);
            if (Interlocked.CompareExchange(ref source, made, null) is not { } known) return made;

            made.Dispose();
            return known;
        }
    }
}
