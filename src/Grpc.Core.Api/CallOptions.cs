namespace Grpc.Core;

/// <summary>Settings of one call.</summary>
public readonly struct CallOptions(Metadata? headers = null, DateTime? deadline = null, CancellationToken cancellationToken = default)
{
    /// <summary>Sent with the call's HTTP/2 headers.</summary>
    public Metadata? Headers { get; } = headers;

    /// <summary>When the call ends, as a UTC time.</summary>
    public DateTime? Deadline { get; } = deadline;

    /// <summary>Ends the call.</summary>
    public CancellationToken CancellationToken { get; } = cancellationToken;

    public CallOptions WithHeaders(Metadata headers) => new(headers, Deadline, CancellationToken);

    public CallOptions WithDeadline(DateTime deadline) => new(Headers, deadline, CancellationToken);

    public CallOptions WithCancellationToken(CancellationToken cancellationToken) => new(Headers, Deadline, cancellationToken);
}
