namespace ActorCluster.Keyspace.Actors;

/// <summary>
/// Tokens that are cancelled at (or up to <see cref="GranularityMs"/> after) a deadline, shared by all requests that end
/// in the same slice of time: a timer per slice instead of a timer per request. Safe to call from any thread.
/// </summary>
public sealed class DeadlineTokens(TimeProvider time)
{
    /// <summary>Length of a slice, in milliseconds.</summary>
    public const int GranularityMs = 50;

    readonly Lock _gate = new();
    readonly Dictionary<long, CancellationTokenSource> _slices = [];
    readonly long _start = time.GetTimestamp();

    /// <summary>A token that is cancelled after a time.</summary>
    public CancellationToken After(TimeSpan delay)
    {
        var nowMs = (long)time.GetElapsedTime(_start).TotalMilliseconds;
        var slice = (nowMs + (long)delay.TotalMilliseconds + GranularityMs - 1) / GranularityMs;
        lock (_gate)
        {
            if (_slices.TryGetValue(slice, out var source)) return source.Token;
            source = new CancellationTokenSource(TimeSpan.FromMilliseconds(Math.Max(1, (slice * GranularityMs) - nowMs)), time);
            _slices.Add(slice, source);
            source.Token.UnsafeRegister(
                static state =>
                {
                    var (tokens, slice) = ((DeadlineTokens, long))state!;
                    lock (tokens._gate) tokens._slices.Remove(slice);
                },
                (this, slice));
            return source.Token;
        }
    }
}
