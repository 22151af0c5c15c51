using ActorCluster.Raft;
using ActorCluster.Raft.Storage;

namespace ActorCluster.Simulation.Disk;

/// <summary>An open handle; void after its process died.</summary>
sealed class SimFile(SimDisk disk, SimFileContent content) : IStorageFile
{
    readonly int _life = disk.Life;

    public long Length => Alive().Length;

    public int Read(long offset, Span<byte> buffer) => Alive().Read(offset, buffer);

    public void Write(long offset, ReadOnlySpan<byte> bytes)
    {
        disk.Changing();
        Alive().Write(offset, bytes);
    }

    public void SetLength(long length)
    {
        disk.Changing();
        Alive().SetLength(length);
    }

    public void Preallocate(long length)
    {
        disk.Changing();
        if (Alive().Length < length) content.SetLength(length);
    }

    public void Sync()
    {
        disk.Changing();
        disk.Syncing();
        Alive().Sync();
        disk.CountSync();
    }

    public void Dispose()
    {
        // Nothing is buffered in a handle, so closing it changes nothing.
    }

    SimFileContent Alive()
    {
        Invariant.Check(_life == disk.Life, "a dead process uses a file handle");
        return content;
    }
}
