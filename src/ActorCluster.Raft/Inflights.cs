namespace ActorCluster.Raft;

/// <summary>
/// The unanswered append messages to one follower, oldest first: bounds what may be lost or queued between the two, in
/// messages and in bytes. A ring that grows by doubling up to the limit.
/// </summary>
sealed class Inflights(int maxMessages, long maxBytes)
{
    (ulong LastIndex, long Bytes)[] _ring = new (ulong, long)[Math.Min(8, maxMessages)];
    int _start;

    public int Count { get; private set; }
    public long Bytes { get; private set; }

    /// <summary>Whether another message must wait. A single message larger than the limit may travel alone.</summary>
    public bool Full => Count >= maxMessages || Bytes >= maxBytes;

    public void Add(ulong lastIndex, long bytes)
    {
        Invariant.Check(!Full, $"{Count} messages and {Bytes} bytes are under way already");
        if (Count == _ring.Length) Grow();
        _ring[(_start + Count) % _ring.Length] = (lastIndex, bytes);
        Count++;
        Bytes += bytes;
    }

    /// <summary>Everything up to <paramref name="index"/> is answered.</summary>
    public void FreeTo(ulong index)
    {
        while (Count > 0 && _ring[_start].LastIndex <= index)
        {
            Bytes -= _ring[_start].Bytes;
            _start = (_start + 1) % _ring.Length;
            Count--;
        }
    }

    public void Clear()
    {
        _start = 0;
        Count = 0;
        Bytes = 0;
    }

    void Grow()
    {
        var larger = new (ulong, long)[Math.Min(_ring.Length * 2, maxMessages)];
        for (var i = 0; i < Count; i++) larger[i] = _ring[(_start + i) % _ring.Length];
        _ring = larger;
        _start = 0;
    }
}
