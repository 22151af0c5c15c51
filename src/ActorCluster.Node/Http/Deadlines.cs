using System.Globalization;
using ActorCluster.Keyspace.Actors;
using ActorCluster.Protocol;

namespace ActorCluster.Node.Http;

/// <summary>Every request has a deadline: its X-Deadline-Ms header, or the node's default.</summary>
sealed class Deadlines(TimeProvider time, TimeSpan byDefault)
{
    public const string Header = "X-Deadline-Ms";
    public const int MaxDeadlineMs = 600_000;

    readonly DeadlineTokens _tokens = new(time);

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

    /// <summary>Cancelled at the deadline.</summary>
    public CancellationToken After(TimeSpan timeout) => _tokens.After(timeout);
}
