using System.Net;
using Microsoft.AspNetCore.Http;

namespace Proto.Remote.Transport;

/// <summary>One call as its server sees it: a stream of messages in, a stream of messages out.</summary>
public sealed class GrpcServerCall : IDisposable
{
    readonly HttpContext _context;

    internal GrpcServerCall(HttpContext context, int maxMessageBytes)
    {
        _context = context;
        Requests = new GrpcFrameReader(context.Request.Body, maxMessageBytes);
    }

    public GrpcFrameReader Requests { get; }

    /// <summary>Cancelled when the caller's connection or stream is gone.</summary>
    public CancellationToken Aborted => _context.RequestAborted;

    public EndPoint? Caller => _context.Connection.RemoteIpAddress is { } ip ? new IPEndPoint(ip, _context.Connection.RemotePort) : null;

    /// <summary>Hands complete frames (prefix included) to the connection and waits while the caller's window is full.</summary>
    public async ValueTask WriteAsync(ReadOnlyMemory<byte> frames, CancellationToken cancellationToken)
    {
        var result = await _context.Response.BodyWriter.WriteAsync(frames, cancellationToken).ConfigureAwait(false);
        // Kestrel completes a write to a lost connection without an error; who writes must learn of it.
        if (result.IsCompleted || _context.RequestAborted.IsCancellationRequested)
            throw new IOException("the caller is gone");
    }

    /// <summary>Ends the call at once, without a status.</summary>
    public void Abort() => _context.Abort();

    public void Dispose() => Requests.Dispose();
}
