using ActorCluster.Raft;
using ActorCluster.Raft.Storage;

namespace ActorCluster.Simulation.Disk;

/// <summary>
/// The disk of one simulated node. What was written since the last sync is pending: a process that goes on sees it, a
/// crash keeps any part of it. Writes are kept or lost one by one and may be torn; name changes (create, rename, delete)
/// are kept or lost one by one until their directory is synced. After a crash the handles of the dead process are void.
/// </summary>
public sealed class SimDisk(IRandomSource random) : IFileSystem
{
    readonly SortedDictionary<string, SimDirectory> _directories = new(StringComparer.Ordinal);
    readonly HashSet<string> _locks = new(StringComparer.Ordinal);

    /// <summary>Counts crashes; a handle of an earlier life is void.</summary>
    internal int Life { get; private set; }

    /// <summary>Syncs of files and directories that completed.</summary>
    public long Syncs { get; private set; }

    /// <summary>Crashes that lost something, and that tore a write: coverage of the generator.</summary>
    public long CrashesThatLost { get; private set; }

    public long TornWrites { get; internal set; }

    /// <summary>When set: the process dies (<see cref="SimulatedCrashException"/>) in place of the n-th operation from now that changes the disk.</summary>
    public int? CrashAfterOperations { get; set; }

    /// <summary>There is no room: no new file, and none grows. What is reserved can still be written.</summary>
    public bool IsFull { get; set; }

    /// <summary>When set: the n-th sync from now fails, and what it should have made durable stays pending.</summary>
    public int? FailSyncAfter { get; set; }

    /// <summary>The machine loses power, or the process dies and the kernel with it: pending changes survive in part.</summary>
    public void Crash()
    {
        Life++;
        CrashAfterOperations = null;
        FailSyncAfter = null;
        _locks.Clear();
        var manner = (CrashManner)random.Next(4);
        var lost = false;
        foreach (var directory in _directories.Values)
        {
            lost |= directory.CrashNames(random, manner);
            foreach (var file in directory.Files) lost |= file.Crash(this, random, manner);
        }

        if (lost) CrashesThatLost++;
    }

    /// <summary>The process dies and the kernel goes on (kill -9): nothing pending is lost, handles and locks are void.</summary>
    public void Kill()
    {
        Life++;
        CrashAfterOperations = null;
        FailSyncAfter = null;
        _locks.Clear();
    }

    /// <summary>
    /// Durable bytes of a file change at rest, somewhere before an offset: a flipped bit, a sector of zeros, a sector that holds what belongs
    /// elsewhere (a misdirected write).
    /// </summary>
    public void Damage(string path, long before)
    {
        var content = Directory(path).Names[Path.GetFileName(path)];
        var length = (int)Math.Min(before, content.Length);
        if (length > 0) content.Damage(random.Next(length), random);
    }

    public IStorageFile Open(string path, FileOpening mode)
    {
        var directory = Directory(path);
        var name = Path.GetFileName(path);
        if (mode == FileOpening.Create)
        {
            Changing();
            if (directory.Names.TryGetValue(name, out var existing)) existing.SetLength(0);
            else if (IsFull) throw new DiskFullException(path);
            else directory.Change(new NameChange(null, name, new SimFileContent()));
        }

        return directory.Names.TryGetValue(name, out var content)
            ? new SimFile(this, content)
            : throw new FileNotFoundException($"no such file: {path}", path);
    }

    public bool FileExists(string path) =>
        _directories.TryGetValue(DirectoryName(path), out var directory) && directory.Names.ContainsKey(Path.GetFileName(path));

    public void CreateDirectory(string path)
    {
        if (!_directories.ContainsKey(path)) _directories.Add(path, new SimDirectory());
    }

    public IReadOnlyList<string> ListFiles(string directory) =>
        _directories.TryGetValue(directory, out var found) ? [.. found.Names.Keys] : [];

    public void Rename(string from, string to)
    {
        Changing();
        var directory = Directory(from);
        Invariant.Check(DirectoryName(from) == DirectoryName(to), "renames stay within a directory");
        if (!directory.Names.TryGetValue(Path.GetFileName(from), out var content)) throw new FileNotFoundException($"no such file: {from}", from);
        directory.Change(new NameChange(Path.GetFileName(from), Path.GetFileName(to), content));
    }

    public void Delete(string path)
    {
        Changing();
        var directory = Directory(path);
        if (directory.Names.ContainsKey(Path.GetFileName(path))) directory.Change(new NameChange(Path.GetFileName(path), null, null));
    }

    public void SyncDirectory(string directory)
    {
        Changing();
        Syncing();
        _directories[directory].Sync();
        Syncs++;
    }

    public IDisposable Lock(string path)
    {
        if (!_locks.Add(path)) throw new FileLockedException(path, new IOException("held by a handle of this life"));
        return new HeldLock(this, path, Life);
    }

    /// <summary>Called before every change: the place where a scheduled death happens.</summary>
    internal void Changing()
    {
        if (CrashAfterOperations is not { } left) return;
        if (left > 0) CrashAfterOperations = left - 1;
        else throw new SimulatedCrashException();
    }

    internal void Syncing()
    {
        if (FailSyncAfter is not { } left) return;
        if (left > 0)
        {
            FailSyncAfter = left - 1;
            return;
        }

        FailSyncAfter = null;
        throw new IOException("simulated: the disk failed to sync");
    }

    internal void CountSync() => Syncs++;

    SimDirectory Directory(string path) =>
        _directories.TryGetValue(DirectoryName(path), out var directory)
            ? directory
            : throw new DirectoryNotFoundException($"no such directory: {DirectoryName(path)}");

    static string DirectoryName(string path) => Path.GetDirectoryName(path) ?? "";

    sealed class HeldLock(SimDisk disk, string path, int life) : IDisposable
    {
        public void Dispose()
        {
            if (disk.Life == life) disk._locks.Remove(path);
        }
    }
}

/// <summary>What a crash does to pending changes; drawn per crash, so that the extremes come often.</summary>
enum CrashManner
{
    KeepAll,
    LoseAll,
    KeepPrefix,
    KeepAnySubset,
}

/// <summary>The simulated process died in the middle of a disk operation. Only the simulated node's driver catches it.</summary>
public sealed class SimulatedCrashException() : Exception("simulated crash in the middle of a disk operation");
