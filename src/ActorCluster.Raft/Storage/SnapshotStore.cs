using ActorCluster.Protocol;
using ActorCluster.Protocol.Raft;

namespace ActorCluster.Raft.Storage;

/// <summary>
/// Snapshots as files of one directory (format: <see cref="SnapshotFormat"/>). Safe for several groups at once; of one
/// group, one save at a time.
/// </summary>
public sealed class SnapshotStore : ISnapshotStore
{
    const string UnfinishedExtension = ".new";
    const string DamagedExtension = ".damaged";

    readonly IFileSystem _files;
    readonly string _directory;
    readonly object _gate = new();
    readonly SortedDictionary<GroupId, (ulong Index, ulong Term)> _newest = [];

    /// <summary>Opens the directory, creating it where needed, and removes what crashes left: unfinished and superseded files.</summary>
    public SnapshotStore(IFileSystem files, string directory)
    {
        _files = files;
        _directory = directory;
        files.CreateDirectory(directory);
        var leftovers = new List<string>();
        foreach (var name in files.ListFiles(directory))
        {
            if (name.EndsWith(UnfinishedExtension, StringComparison.Ordinal)) leftovers.Add(name);
            if (!SnapshotFormat.TryParseFileName(name, out var group, out var index, out var term)) continue;
            // In ordinal order, so a later name of one group is a newer snapshot.
            if (_newest.TryGetValue(group, out var older)) leftovers.Add(SnapshotFormat.FileName(group, older.Index, older.Term));
            _newest[group] = (index, term);
        }
        // What is seen may be a name that is not durable yet: it must be before it is relied upon, and before what it
        // supersedes goes.
        if (_newest.Count > 0 || leftovers.Count > 0) files.SyncDirectory(directory);
        foreach (var name in leftovers) files.Delete(Path.Combine(directory, name));
        if (leftovers.Count > 0) files.SyncDirectory(directory);
    }

    /// <summary>Groups that have a snapshot, in order.</summary>
    public IReadOnlyList<GroupId> Groups
    {
        get
        {
            lock (_gate) return [.. _newest.Keys];
        }
    }

    /// <exception cref="DiskFullException">There is no room; the snapshot before it is still there.</exception>
    public SnapshotMeta Save(GroupId group, SnapshotMeta meta, Action<Stream> write)
    {
        (ulong Index, ulong Term)? older = null;
        lock (_gate)
        {
            if (_newest.TryGetValue(group, out var found)) older = found;
        }
        Invariant.Check(older is null || meta.Index >= older.Value.Index, $"group {group}: snapshot {meta.Index} is older than {older?.Index}");

        var path = PathOf(group, meta.Index, meta.Term);
        SnapshotMeta saved;
        try
        {
            saved = WriteFile(path + UnfinishedExtension, group, meta, write);
        }
        catch (DiskFullException)
        {
            // Nothing was promised for it, and the log needs the room.
            if (_files.FileExists(path + UnfinishedExtension)) _files.Delete(path + UnfinishedExtension);
            throw;
        }

        _files.Rename(path + UnfinishedExtension, path);
        _files.SyncDirectory(_directory);

        lock (_gate) _newest[group] = (meta.Index, meta.Term);
        if (older is { } o && o != (meta.Index, meta.Term)) _files.Delete(PathOf(group, o.Index, o.Term));
        return saved;
    }

    SnapshotMeta WriteFile(string path, GroupId group, SnapshotMeta meta, Action<Stream> write)
    {
        var saved = meta.Clone();
        using var file = _files.Open(path, FileOpening.Create);
        var contentStart = SnapshotFormat.ContentStart(meta);
        using var stream = new SnapshotWriteStream(file, group, meta, contentStart);
        write(stream);
        saved.SizeBytes = (ulong)stream.Complete();
        file.Write(0, SnapshotFormat.Header(group, saved, contentStart));
        file.Sync();
        return saved;
    }

    /// <exception cref="SnapshotDamagedException">The newest is there and its header cannot be read. No older one takes its place:
    /// the log before the newest may be gone.</exception>
    public SnapshotMeta? Newest(GroupId group)
    {
        (ulong Index, ulong Term) newest;
        lock (_gate)
        {
            if (!_newest.TryGetValue(group, out newest)) return null;
        }
        var path = PathOf(group, newest.Index, newest.Term);
        using var file = _files.Open(path, FileOpening.Read);
        return Checked(SnapshotFormat.ReadHeader(file, path, group).Meta, newest, path, group);
    }

    public Stream Open(GroupId group, SnapshotMeta meta)
    {
        var path = PathOf(group, meta.Index, meta.Term);
        if (!_files.FileExists(path)) throw new SnapshotDamagedException(path, group, "the file is missing");
        var file = _files.Open(path, FileOpening.Read);
        try
        {
            var (found, contentStart) = SnapshotFormat.ReadHeader(file, path, group);
            Checked(found, (meta.Index, meta.Term), path, group);
            return new SnapshotReadStream(file, path, group, found, contentStart);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Reads the newest snapshot of a group to its end.</summary>
    /// <returns>Its meta, or null when there is none.</returns>
    /// <exception cref="SnapshotDamagedException">Some of it cannot be read.</exception>
    public SnapshotMeta? Verify(GroupId group)
    {
        if (Newest(group) is not { } meta) return null;
        return SnapshotFormat.Verify(_files, PathOf(group, meta.Index, meta.Term), group);
    }

    /// <summary>The newest snapshot of a group cannot be read: it is kept under another name, and the group has none.</summary>
    public void PutAside(GroupId group)
    {
        (ulong Index, ulong Term) newest;
        lock (_gate)
        {
            if (!_newest.Remove(group, out newest)) return;
        }
        var path = PathOf(group, newest.Index, newest.Term);
        _files.Rename(path, path + DamagedExtension);
        _files.SyncDirectory(_directory);
    }

    public void Delete(GroupId group)
    {
        (ulong Index, ulong Term) newest;
        lock (_gate)
        {
            if (!_newest.Remove(group, out newest)) return;
        }
        _files.Delete(PathOf(group, newest.Index, newest.Term));
        _files.SyncDirectory(_directory);
    }

    static SnapshotMeta Checked(SnapshotMeta meta, (ulong Index, ulong Term) expected, string path, GroupId group) =>
        (meta.Index, meta.Term) == expected
            ? meta
            : throw new SnapshotDamagedException(path, group, $"the header says index {meta.Index} of term {meta.Term}");

    string PathOf(GroupId group, ulong index, ulong term) => Path.Combine(_directory, SnapshotFormat.FileName(group, index, term));
}
