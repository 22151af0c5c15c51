using System.Net;
using System.Net.Http.Headers;

namespace Proto.Remote.Transport;

/// <summary>A request body that stays open: the caller writes to its stream until <see cref="End"/>.</summary>
sealed class DuplexContent : HttpContent
{
    readonly ReadOnlyMemory<byte> _firstFrames;
    readonly TaskCompletionSource<Stream> _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public DuplexContent(ReadOnlyMemory<byte> firstFrames)
    {
        _firstFrames = firstFrames;
        Headers.ContentType = new MediaTypeHeaderValue(GrpcFrame.ContentType);
    }

    public Task<Stream> Opened => _opened.Task;

    /// <summary>Half-closes the request: the server sees the end of the body.</summary>
    public void End()
    {
        _ended.TrySetResult();
        if (_opened.TrySetException(new IOException("the call has ended"))) _ = _opened.Task.Exception;
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        try
        {
            await stream.WriteAsync(_firstFrames, cancellationToken).ConfigureAwait(false);
            await stream.FlushAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            _opened.TrySetException(new IOException("the call ended before its first frames were sent", failure));
            // Nobody may ever write: the failure is known to whoever reads the response.
            _ = _opened.Task.Exception;
            throw;
        }

        _opened.TrySetResult(stream);
        await _ended.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}
