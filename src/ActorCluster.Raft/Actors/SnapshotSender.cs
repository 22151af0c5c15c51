using ActorCluster.Protocol;
using ActorCluster.Protocol.Raft;
using Google.Protobuf;

namespace ActorCluster.Raft.Actors;

/// <summary>
/// A snapshot on its way to one follower, chunk by chunk, one chunk under way at a time. The follower's answers say where to go on:
/// it may have kept what an earlier sender of the same snapshot brought, or have lost what it had.
/// </summary>
/// <param name="to">The follower.</param>
/// <param name="meta">The snapshot.</param>
/// <param name="content">The content, open at its beginning; it can seek.</param>
/// <param name="chunkBytes">Bytes of one chunk.</param>
sealed class SnapshotSender(NodeUid to, SnapshotMeta meta, Stream content, int chunkBytes) : IDisposable
{
    long _offset;
    ByteString _chunk = ByteString.Empty;
    bool _last;

    public NodeUid To => to;
    public SnapshotMeta Meta => meta;

    /// <summary>Ticks since the chunk under way was sent.</summary>
    public int WaitedTicks { get; set; }

    /// <summary>Everything is confirmed.</summary>
    public bool Delivered { get; private set; }

    /// <summary>The follower lost what it had: begin again with a new sender.</summary>
    public bool MustBeginAgain { get; private set; }

    /// <summary>Reads the first chunk.</summary>
    public void Begin() => ReadAt(0);

    /// <summary>The chunk under way.</summary>
    public InstallSnapshot Chunk()
    {
        WaitedTicks = 0;
        return new InstallSnapshot { Meta = meta, Offset = (ulong)_offset, Data = _chunk, Done = _last };
    }

    /// <summary>The follower has everything up to <paramref name="nextOffset"/>. True when another chunk is to be sent.</summary>
    public bool Confirm(ulong nextOffset)
    {
        var next = (long)nextOffset;
        if (next == _offset && _chunk.Length > 0) return false; // a repeated answer
        if (next < _offset || next > (long)meta.SizeBytes)
        {
            MustBeginAgain = true;
            return false;
        }

        if (next == (long)meta.SizeBytes)
        {
            Delivered = true;
            return false;
        }

        // Beyond the chunk under way when the follower kept what an earlier sender brought: sending that again would never move it.
        ReadAt(next);
        return true;
    }

    void ReadAt(long offset)
    {
        var buffer = new byte[chunkBytes];
        content.Position = offset;
        var read = content.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
        _offset = offset;
        _chunk = UnsafeByteOperations.UnsafeWrap(buffer.AsMemory(0, read));
        _last = offset + read >= (long)meta.SizeBytes || read < buffer.Length;
    }

    public void Dispose() => content.Dispose();
}
