namespace ActorCluster.Raft.Storage;

/// <summary>
/// The disk as storage sees it. Behind it: the operating system, or a simulated disk. Paths are opaque to the caller
/// except for <see cref="Path.Combine(string,string)"/>.
/// What it promises (docs/disk.md): bytes written are durable once <see cref="IStorageFile.Sync"/> returned after the
/// write; names (create, rename, delete) are durable once <see cref="SyncDirectory"/> of their directory returned.
/// Before that a crash may keep any subset of them, and may tear a write anywhere.
/// Any exception of a write, sync or name change is final for the caller: the disk's state is then unknown.
/// </summary>
public interface IFileSystem
{
    /// <summary>Opens a file for positional reads and writes.</summary>
    /// <exception cref="FileNotFoundException">It does not exist and the mode does not create it.</exception>
    /// <exception cref="DiskFullException">There is no room for another file.</exception>
    IStorageFile Open(string path, FileOpening mode);

    bool FileExists(string path);

    /// <summary>Creates the directory and its missing parents, durably. No effect when it exists.</summary>
    void CreateDirectory(string path);

    /// <summary>Names (without the directory) of the files in a directory, in ordinal order. Empty when it does not exist.</summary>
    IReadOnlyList<string> ListFiles(string directory);

    /// <summary>Renames within a directory, atomically replacing what has the new name. Durable after <see cref="SyncDirectory"/>.</summary>
    void Rename(string from, string to);

    /// <summary>Deletes a file. Durable after <see cref="SyncDirectory"/>.</summary>
    void Delete(string path);

    /// <summary>Makes the names in a directory durable.</summary>
    void SyncDirectory(string directory);

    /// <summary>Takes an exclusive lock named by a file, held until disposed or until the process ends, however it ends.</summary>
    /// <exception cref="FileLockedException">Somebody else holds it.</exception>
    IDisposable Lock(string path);
}

/// <summary>How a file is opened.</summary>
public enum FileOpening
{
    /// <summary>Must exist; only read.</summary>
    Read,

    /// <summary>Must exist; read and written.</summary>
    ReadWrite,

    /// <summary>Created, or emptied when it exists (a leftover of a crash); read and written.</summary>
    Create,
}

/// <summary>An open file. One caller at a time for writes.</summary>
public interface IStorageFile : IDisposable
{
    long Length { get; }

    /// <summary>Reads until the buffer is full or the file ends; returns the bytes read.</summary>
    int Read(long offset, Span<byte> buffer);

    /// <summary>Writes all bytes at the offset, extending the file where needed. An append is a write at <see cref="Length"/>.</summary>
    /// <exception cref="DiskFullException">There is no room. Never within what <see cref="Preallocate"/> reserved, if the disk keeps its word.</exception>
    void Write(long offset, ReadOnlySpan<byte> bytes);

    /// <summary>Cuts the file, or extends it by zeros. Durable after <see cref="Sync"/>.</summary>
    void SetLength(long length);

    /// <summary>
    /// Reserves space so that later writes below <paramref name="length"/> cannot fail for want of it; the length becomes
    /// at least that, and what was never written reads as zeros.
    /// </summary>
    void Preallocate(long length);

    /// <summary>Makes everything written so far, and the length, durable. Never retried after it failed.</summary>
    void Sync();
}
