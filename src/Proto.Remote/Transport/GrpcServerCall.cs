using System.Net;
using System.Security.Cryptography.X509Certificates;
using Grpc.Core;
using Microsoft.AspNetCore.Http;

namespace Proto.Remote.Transport;

/// <summary>
/// One call as its server sees it: a stream of messages in, a stream of messages out. Kestrel uses the objects of an ended call for another
/// one, so nothing may touch them later: <see cref="WriteAsync"/> and <see cref="Abort"/> do nothing to a call that is over.
/// </summary>
public sealed class GrpcServerCall : IServerCall
{
    readonly HttpContext _context;
    readonly SemaphoreSlim _writing = new(1, 1);
    readonly Lock _gate = new();
    bool _over;

    internal GrpcServerCall(HttpContext context, int maxMessageBytes)
    {
        _context = context;
        Aborted = context.RequestAborted;
        Caller = context.Connection.RemoteIpAddress is { } ip ? new IPEndPoint(ip, context.Connection.RemotePort) : null;
        Certificate = context.Connection.ClientCertificate;
        Headers = CallHeaders.Read(context.Request.Headers);
        Requests = new GrpcFrameReader(context.Request.Body, maxMessageBytes);
    }

    public GrpcFrameReader Requests { get; }

    /// <summary>Cancelled when the caller's connection or stream is gone.</summary>
    public CancellationToken Aborted { get; }

    public EndPoint? Caller { get; }

    public X509Certificate2? Certificate { get; }

    public Metadata Headers { get; }

    /// <summary>Hands complete frames (prefix included) to the connection and waits while the caller's window is full.</summary>
    /// <exception cref="IOException">The call is over, or the caller is gone.</exception>
    public async ValueTask WriteAsync(ReadOnlyMemory<byte> frames, CancellationToken cancellationToken)
    {
        await _writing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (IsOver) throw new IOException("the call is over");
            var result = await _context.Response.BodyWriter.WriteAsync(frames, cancellationToken).ConfigureAwait(false);
            // Kestrel completes a write to a lost connection without an error; who writes must learn of it.
            if (result.IsCompleted || result.IsCanceled || Aborted.IsCancellationRequested) throw new IOException("the caller is gone");
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <summary>Ends the call at once, without a status.</summary>
    public void Abort()
    {
        lock (_gate)
        {
            if (!_over) _context.Abort();
        }
    }

    /// <summary>The handler has returned: waits for a write under way, and refuses later ones.</summary>
    internal async ValueTask CloseAsync()
    {
        if (!_writing.Wait(0, CancellationToken.None))
        {
            _context.Response.BodyWriter.CancelPendingFlush();
            await _writing.WaitAsync().ConfigureAwait(false);
        }

        lock (_gate) _over = true;
        _writing.Release();
        Requests.Dispose();
    }

    bool IsOver
    {
        get
        {
            lock (_gate) return _over;
        }
    }
}
