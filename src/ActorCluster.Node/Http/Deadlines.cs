using System.Collections.Concurrent;
using System.Globalization;
using ActorCluster.Protocol;

namespace ActorCluster.Node.Http;

/// <summary>Every request has a deadline: its X-Deadline-Ms header, or the node's default.</summary>
sealed class Deadlines(TimeProvider time, TimeSpan byDefault)
{
    public const string Header = "X-Deadline-Ms";
    public const int MaxDeadlineMs = 600_000;
    const int MaxPooled = 1024;

    // Sources that never fired are used again: a timer is moved, not made.
    readonly ConcurrentQueue<CancellationTokenSource> _pool = new();

    /// <summary>How long the request may take, or why that cannot be said.</summary>
    public Failure? TryRead(HttpContext http, out TimeSpan timeout)
    {
        timeout = byDefault;
        var header = http.Request.Headers[Header];
        if (header.Count == 0) return null;
        if (int.TryParse(header[0], NumberStyles.None, CultureInfo.InvariantCulture, out var ms) && ms is > 0 and <= MaxDeadlineMs)
        {
            timeout = TimeSpan.FromMilliseconds(ms);
            return null;
        }

        return new Failure
        {
            Outcome = OutcomeKind.NotExecuted,
            Code = ErrorCode.InvalidArgument,
            Message = $"{Header} is \"{header[0]}\": give a whole number of milliseconds from 1 to {MaxDeadlineMs}",
        };
    }

    public ulong UnixMs(TimeSpan timeout) => (ulong)(time.GetUtcNow() + timeout).ToUnixTimeMilliseconds();

    public CancellationTokenSource Rent(TimeSpan timeout)
    {
        if (!ReferenceEquals(time, TimeProvider.System)) return new CancellationTokenSource(timeout, time);
        if (!_pool.TryDequeue(out var source)) source = new CancellationTokenSource();
        source.CancelAfter(timeout);
        return source;
    }

    public void Return(CancellationTokenSource source)
    {
        if (ReferenceEquals(time, TimeProvider.System) && _pool.Count < MaxPooled && source.TryReset()) _pool.Enqueue(source);
        else source.Dispose();
    }
}
