using System.Buffers;
using System.Buffers.Binary;

namespace Proto.Remote.Transport;

/// <summary>
/// Cuts a body into gRPC messages. Bytes are copied once, out of the transport's small blocks into one contiguous pooled
/// buffer: parsing a span is several times faster than parsing a sequence of 4 KiB blocks, and the flow-control window is
/// given back at once, however large the message is.
/// Not thread-safe. A frame is valid until the next <see cref="FillAsync"/>.
/// </summary>
public sealed class GrpcFrameReader(Stream body, int maxMessageBytes) : IDisposable
{
    const int InitialBytes = 64 * 1024;
    const int KeepBytes = 1024 * 1024;

    byte[] _buffer = ArrayPool<byte>.Shared.Rent(InitialBytes);
    int _start;
    int _end;

    /// <summary>The next complete message that has already arrived.</summary>
    /// <exception cref="GrpcException">The prefix names a compressed message or one over the limit: nothing is allocated for it.</exception>
    public bool TryRead(out ReadOnlyMemory<byte> message)
    {
        var available = _end - _start;
        if (available >= GrpcFrame.PrefixLength)
        {
            var length = MessageLength();
            if (available - GrpcFrame.PrefixLength >= length)
            {
                message = _buffer.AsMemory(_start + GrpcFrame.PrefixLength, length);
                _start += GrpcFrame.PrefixLength + length;
                return true;
            }
        }

        message = default;
        return false;
    }

    /// <summary>Waits for more bytes; false at the end of the body.</summary>
    /// <exception cref="GrpcException">The body ends inside a message.</exception>
    public async ValueTask<bool> FillAsync(CancellationToken cancellationToken)
    {
        MakeRoom();
        var read = await body.ReadAsync(_buffer.AsMemory(_end), cancellationToken);
        if (read > 0)
        {
            _end += read;
            return true;
        }

        if (_start == _end) return false;
        throw new GrpcException(GrpcStatusCode.InvalidArgument, $"the body ended inside a message, {_end - _start} bytes after its start");
    }

    /// <summary>The next message, waiting for it; null at the end of the body.</summary>
    public async ValueTask<ReadOnlyMemory<byte>?> ReadAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            if (TryRead(out var message)) return message;
            if (!await FillAsync(cancellationToken)) return null;
        }
    }

    public void Dispose()
    {
        var buffer = _buffer;
        _buffer = [];
        _start = _end = 0;
        if (buffer.Length > 0) ArrayPool<byte>.Shared.Return(buffer);
    }

    int MessageLength()
    {
        var prefix = _buffer.AsSpan(_start, GrpcFrame.PrefixLength);
        if (prefix[0] != 0)
            throw new GrpcException(GrpcStatusCode.Unimplemented, $"compressed messages are not supported (flag {prefix[0]})");
        var length = BinaryPrimitives.ReadUInt32BigEndian(prefix[1..]);
        if (length > maxMessageBytes)
            throw new GrpcException(GrpcStatusCode.ResourceExhausted, $"a message of {length} bytes is over the limit of {maxMessageBytes}");
        return (int)length;
    }

    void MakeRoom()
    {
        var available = _end - _start;
        // A prefix is a claim: the buffer grows with what has come, never ahead of it.
        var wanted = available >= GrpcFrame.PrefixLength
            ? Math.Max(Math.Min(GrpcFrame.PrefixLength + MessageLength(), 2 * available), InitialBytes)
            : InitialBytes;
        if (available == 0)
        {
            _start = _end = 0;
            if (_buffer.Length <= KeepBytes) return;
        }
        else if (_buffer.Length - _start >= wanted && _end < _buffer.Length)
        {
            return;
        }
        else if (_buffer.Length >= wanted && available < _buffer.Length)
        {
            _buffer.AsSpan(_start, available).CopyTo(_buffer);
            (_start, _end) = (0, available);
            return;
        }

        var larger = ArrayPool<byte>.Shared.Rent(wanted);
        _buffer.AsSpan(_start, available).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_buffer);
        (_buffer, _start, _end) = (larger, 0, available);
    }
}
