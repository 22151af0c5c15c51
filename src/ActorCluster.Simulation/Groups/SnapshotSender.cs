using ActorCluster.Protocol.Raft;

namespace ActorCluster.Simulation.Groups;

/// <summary>
/// A snapshot on its way to one follower: one chunk at a time, sent again after a while without an answer, given up when
/// nothing moves.
/// </summary>
sealed class SnapshotSender(SnapshotMeta meta, byte[] content)
{
    const int ChunkBytes = 200;
    const int ResendTicks = 6;
    const int GiveUpTicks = 60;

    int _idleTicks;
    ulong _offset;

    public SnapshotMeta Meta => meta;

    /// <summary>The chunk to send now.</summary>
    public InstallSnapshot Chunk()
    {
        var count = (int)Math.Min(ChunkBytes, (ulong)content.Length - _offset);
        return new InstallSnapshot
        {
            Meta = meta,
            Offset = _offset,
            Data = Google.Protobuf.ByteString.CopyFrom(content.AsSpan((int)_offset, count)),
            Done = _offset + (ulong)count == (ulong)content.Length,
        };
    }

    /// <summary>The receiver holds the snapshot up to an offset. True when it has moved on.</summary>
    public bool Advance(ulong nextOffset)
    {
        if (nextOffset == _offset || nextOffset > (ulong)content.Length) return false;
        _offset = nextOffset;
        _idleTicks = 0;
        return true;
    }

    public bool IsDone => _offset == (ulong)content.Length;

    /// <summary>A tick passed: whether to send the chunk again, or to give up.</summary>
    public (bool Resend, bool GiveUp) Tick()
    {
        _idleTicks++;
        return (_idleTicks % ResendTicks == 0, _idleTicks >= GiveUpTicks);
    }
}

/// <summary>A snapshot that arrives in chunks.</summary>
sealed class SnapshotReceiver(SnapshotMeta meta, ulong from, ulong term)
{
    readonly MemoryStream _content = new();

    public bool IsFor(RaftMessage message) => from == message.From && term == message.Term && meta.Index == message.InstallSnapshot.Meta.Index;

    public ulong NextOffset => (ulong)_content.Length;

    /// <summary>Takes a chunk if it is the next one. True when the snapshot is complete.</summary>
    public bool Take(InstallSnapshot chunk)
    {
        if (chunk.Offset != NextOffset) return false;
        _content.Write(chunk.Data.Span);
        return chunk.Done;
    }

    public byte[] Content => _content.ToArray();
}
