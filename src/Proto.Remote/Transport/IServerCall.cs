using System.Net;
using System.Security.Cryptography.X509Certificates;
using Grpc.Core;

namespace Proto.Remote.Transport;

/// <summary>Serves one method; an exception becomes the call's status.</summary>
public delegate Task GrpcHandler(IServerCall call);

/// <summary>
/// One call as its server sees it: a stream of messages in, a stream of messages out. <see cref="WriteAsync"/> and <see cref="Abort"/> do
/// nothing to a call whose handler has returned.
/// </summary>
public interface IServerCall
{
    GrpcFrameReader Requests { get; }

    /// <summary>Cancelled when the caller's connection or stream is gone.</summary>
    CancellationToken Aborted { get; }

    /// <summary>Where the call comes from; null when the transport does not know.</summary>
    EndPoint? Caller { get; }

    /// <summary>The caller's certificate, checked by the transport; null when it has none.</summary>
    X509Certificate2? Certificate => null;

    /// <summary>The call's headers, without those of the transport.</summary>
    Metadata Headers => Metadata.Empty;

    /// <summary>Hands complete frames (prefix included) to the connection and waits while the caller's window is full.</summary>
    /// <exception cref="IOException">The call is over, or the caller is gone.</exception>
    ValueTask WriteAsync(ReadOnlyMemory<byte> frames, CancellationToken cancellationToken);

    /// <summary>Ends the call at once, without a status.</summary>
    void Abort();
}
