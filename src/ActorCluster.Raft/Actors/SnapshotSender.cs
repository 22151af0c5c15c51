using ActorCluster.Protocol;
using ActorCluster.Protocol.Raft;
using ActorCluster.Raft.Storage;
using Google.Protobuf;

namespace ActorCluster.Raft.Actors;

/// <summary>
/// A snapshot on its way to one follower, chunk by chunk, one chunk under way at a time. The follower's answers say where to go on,
/// so that it may lose what it has and begin again.
/// </summary>
sealed class SnapshotSender(NodeUid to, GroupId group, SnapshotMeta meta, ISnapshotStore store, int chunkBytes) : IDisposable
{
    Stream? _content;
    long _offset;
    ByteString _chunk = ByteString.Empty;
    bool _last;

    public NodeUid To => to;
    public SnapshotMeta Meta => meta;

    /// <summary>Ticks since the chunk under way was sent.</summary>
    public int WaitedTicks { get; set; }

    /// <summary>Everything is confirmed.</summary>
    public bool Delivered { get; private set; }

    /// <summary>The chunk under way.</summary>
    public InstallSnapshot Chunk()
    {
        if (_content is null) ReadFrom(0);
        WaitedTicks = 0;
        return new InstallSnapshot { Meta = meta, Offset = (ulong)_offset, Data = _chunk, Done = _last };
    }

    /// <summary>The follower has everything up to <paramref name="nextOffset"/>. True when another chunk is to be sent.</summary>
    public bool Confirm(ulong nextOffset)
    {
        var next = (long)nextOffset;
        if (_content is null || next == _offset && _chunk.Length > 0) return false; // repeated
        var expected = _offset + _chunk.Length;
        if (next == expected && _last)
        {
            Delivered = true;
            return false;
        }

        ReadFrom(next);
        return true;
    }

    void ReadFrom(long offset)
    {
        if (_content is null || offset != _offset + _chunk.Length)
        {
            _content?.Dispose();
            _content = store.Open(group, meta);
            Skip(_content, offset);
        }

        var buffer = new byte[chunkBytes];
        var read = _content.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
        _offset = offset;
        _chunk = UnsafeByteOperations.UnsafeWrap(buffer.AsMemory(0, read));
        _last = offset + read >= (long)meta.SizeBytes || read < buffer.Length;
    }

    static void Skip(Stream stream, long bytes)
    {
        var buffer = new byte[64 * 1024];
        while (bytes > 0)
        {
            var read = stream.Read(buffer, 0, (int)Math.Min(buffer.Length, bytes));
            if (read == 0) throw new InvalidDataException("a follower claims more of a snapshot than there is");
            bytes -= read;
        }
    }

    public void Dispose() => _content?.Dispose();
}
