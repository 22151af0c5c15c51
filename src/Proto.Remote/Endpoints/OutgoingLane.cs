using Proto.Remote.Wire;

namespace Proto.Remote.Endpoints;

/// <summary>
/// One of the lanes of an <see cref="OutgoingQueue"/>: messages leave in the order in which they came. Both limits count from the moment
/// that a message is queued until it is handed to the transport or given up. Guarded by the queue's lock.
/// </summary>
sealed class OutgoingLane(int maxMessages, long maxBytes)
{
    OutgoingMessage[] _queued = new OutgoingMessage[16];
    int _queuedCount;
    int _count;
    long _bytes;

    public bool IsEmpty => _queuedCount == 0;

    public int Count => _count;

    public long Bytes => _bytes;

    /// <summary>False when there is no room. An empty lane takes a message of any size.</summary>
    public bool TryAdd(in OutgoingMessage message)
    {
        if (_count >= maxMessages || (_count > 0 && _bytes + message.Bytes > maxBytes)) return false;
        if (_queuedCount == _queued.Length) Array.Resize(ref _queued, _queuedCount * 2);
        _queued[_queuedCount++] = message;
        _count++;
        _bytes += message.Bytes;
        return true;
    }

    /// <summary>Hands out all that is queued and leaves <paramref name="spare"/> to be filled next.</summary>
    public int Take(ref OutgoingMessage[] spare)
    {
        var taken = _queuedCount;
        if (taken == 0) return 0;
        (_queued, spare) = (spare, _queued);
        _queuedCount = 0;
        return taken;
    }

    /// <summary>What was taken is no longer in anybody's hands here.</summary>
    public void Release(int messages, long bytes)
    {
        _count -= messages;
        _bytes -= bytes;
    }
}
