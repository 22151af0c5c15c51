namespace Proto.Deterministic.Network;

/// <summary>Bytes that have arrived at one end of a connection, as the stream that its reader sees.</summary>
/// <param name="isReading">False while the node takes nothing out.</param>
/// <param name="consumed">Told how many bytes were taken out.</param>
sealed class ByteQueue(Func<bool> isReading, Action<int> consumed) : Stream
{
    readonly Queue<ReadOnlyMemory<byte>> _segments = [];
    TaskCompletionSource? _waiter;
    int _headTaken; // of the first segment
    Exception? _broken;
    bool _ended;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public void Add(ReadOnlyMemory<byte> bytes)
    {
        if (_broken is not null || bytes.Length == 0) return;
        _segments.Enqueue(bytes);
        Wake();
    }

    /// <summary>Nothing comes after what has been added.</summary>
    public void End()
    {
        _ended = true;
        Wake();
    }

    /// <summary>What was not read is lost.</summary>
    public void Break(Exception failure)
    {
        _broken ??= failure;
        _segments.Clear();
        Wake();
    }

    public void Wake()
    {
        var waiter = _waiter;
        _waiter = null;
        waiter?.TrySetResult();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (_broken is not null) throw new IOException(_broken.Message, _broken);
            if (isReading())
            {
                if (_segments.Count > 0) return Take(buffer.Span);
                if (_ended) return 0;
            }

            _waiter ??= new TaskCompletionSource();
            await _waiter.Task.WaitAsync(cancellationToken);
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("a simulated connection is read asynchronously");

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush() { }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    int Take(Span<byte> buffer)
    {
        var taken = 0;
        while (taken < buffer.Length && _segments.TryPeek(out var segment))
        {
            var count = Math.Min(segment.Length - _headTaken, buffer.Length - taken);
            segment.Span.Slice(_headTaken, count).CopyTo(buffer[taken..]);
            taken += count;
            _headTaken += count;
            if (_headTaken < segment.Length) break;
            _segments.Dequeue();
            _headTaken = 0;
        }

        consumed(taken);
        return taken;
    }
}
