using ActorCluster.Protocol.Raft;

namespace ActorCluster.Raft.Actors;

/// <summary>The chunks of an arriving snapshot, put together in a scratch file that goes with the process.</summary>
sealed class SnapshotReceiver : IDisposable
{
    readonly FileStream _file;

    readonly ulong _from;

    public SnapshotReceiver(ulong from, SnapshotMeta meta, string directory, string name)
    {
        _from = from;
        Meta = meta;
        Directory.CreateDirectory(directory);
        _file = new FileStream(
            Path.Combine(directory, name), FileMode.Create, FileAccess.ReadWrite, FileShare.None, 1, FileOptions.DeleteOnClose);
    }

    public SnapshotMeta Meta { get; }

    /// <summary>The content is here up to this offset.</summary>
    public ulong Offset => (ulong)_file.Length;

    /// <summary>Being saved: it takes no more chunks.</summary>
    public bool Complete { get; set; }

    /// <summary>Whether a chunk goes on with this one. Of two senders the same state may be other bytes: they are never mixed.</summary>
    public bool IsOf(ulong from, SnapshotMeta meta) => from == _from && meta.Index == Meta.Index && meta.Term == Meta.Term && meta.SizeBytes == Meta.SizeBytes;

    public void Append(ReadOnlySpan<byte> data)
    {
        _file.Position = _file.Length;
        _file.Write(data);
    }

    public void CopyTo(Stream target)
    {
        _file.Position = 0;
        _file.CopyTo(target);
    }

    public void Dispose() => _file.Dispose();
}
