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
        Room(offset + bytes.Length);
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
        Room(length);
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

    void Room(long length)
    {
        if (disk.IsFull && length > Alive().Length) throw new DiskFullException("a file on a simulated disk");
    }

    SimFileContent Alive()
    {
        Invariant.Check(_life == disk.Life, "a dead process uses a file handle");
        return content;
    }
}
