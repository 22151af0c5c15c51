using System.Buffers.Binary;
using System.Threading.Channels;

namespace Proto.Benchmarks.Remote;

/// <summary>
/// Many callers on one bare stream: one task gathers what callers ask and writes it, another one reads the echoes and completes the callers.
/// The least that any protocol does which lets many requests share a stream.
/// </summary>
sealed class BareRequests
{
    const int WriteBytes = 64 * 1024;

    readonly BareStream _stream;
    readonly int _messageBytes;
    readonly Channel<int> _asked = Channel.CreateUnbounded<int>(new UnboundedChannelOptions { SingleReader = true });
    readonly TaskCompletionSource[] _waiting;

    public BareRequests(BareStream stream, int messageBytes, int callers)
    {
        _stream = stream;
        _messageBytes = messageBytes;
        _waiting = new TaskCompletionSource[callers];
        Ended = Task.WhenAny(Task.Run(WriteAsync), Task.Run(ReadAsync)).Unwrap();
    }

    /// <summary>Completes, with an error, when the stream ends.</summary>
    public Task Ended { get; }

    public Task RequestAsync(int caller)
    {
        var answered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _waiting[caller] = answered;
        _asked.Writer.TryWrite(caller);
        return answered.Task;
    }

    async Task WriteAsync()
    {
        var buffer = new byte[WriteBytes];
        while (await _asked.Reader.WaitToReadAsync())
        {
            var filled = 0;
            while (filled + _messageBytes <= buffer.Length && _asked.Reader.TryRead(out var caller))
            {
                BinaryPrimitives.WriteInt32LittleEndian(buffer.AsSpan(filled), caller);
                filled += _messageBytes;
            }

            await _stream.Requests.WriteAsync(buffer.AsMemory(0, filled));
            await _stream.Requests.FlushAsync();
        }
    }

    async Task ReadAsync()
    {
        var buffer = new byte[WriteBytes];
        var filled = 0;
        while (true)
        {
            var read = await _stream.Responses.ReadAsync(buffer.AsMemory(filled));
            if (read == 0) throw new IOException("the bare stream ended");
            filled += read;
            var taken = 0;
            for (; filled - taken >= _messageBytes; taken += _messageBytes)
                _waiting[BinaryPrimitives.ReadInt32LittleEndian(buffer.AsSpan(taken))].SetResult();
            buffer.AsSpan(taken, filled - taken).CopyTo(buffer);
            filled -= taken;
        }
    }
}
