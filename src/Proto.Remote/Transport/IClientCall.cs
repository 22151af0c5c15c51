namespace Proto.Remote.Transport;

/// <summary>One open call as its caller sees it. One writer and one reader at a time.</summary>
public interface IClientCall : IDisposable
{
    GrpcFrameReader Responses { get; }

    /// <summary>The status that the server ended the call with; null while that has not come.</summary>
    GrpcStatus? Status { get; }

    /// <summary>Hands complete frames (prefix included) to the connection; waits while the server's window is full.</summary>
    /// <exception cref="IOException">The call or its connection has ended: the frames may or may not have left.</exception>
    ValueTask WriteAsync(ReadOnlyMemory<byte> frames, CancellationToken cancellationToken);

    /// <summary>Sends what the connection still gathers.</summary>
    Task FlushAsync(CancellationToken cancellationToken);

    /// <summary>Half-closes: no more requests will come.</summary>
    void CompleteRequests();
}
