using System.Text;
using ActorCluster.Raft.Storage;
using Google.Protobuf;
using static ActorCluster.Raft.Tests.Storage.StorageTestData;

namespace ActorCluster.Raft.Tests.Storage;

/// <summary>The real disk behaves as the simulated one is taught to.</summary>
public sealed class OsFileSystemTests : IDisposable
{
    readonly OsFileSystem _files = OsFileSystem.Instance;
    readonly string _root = System.IO.Directory.CreateTempSubdirectory("actorcluster-storage-").FullName;

    public void Dispose() => System.IO.Directory.Delete(_root, recursive: true);

    [Fact]
    public void Positional_writes_lengths_and_preallocation()
    {
        var path = Path.Combine(_root, "f");
        using var file = _files.Open(path, FileOpening.Create);
        file.Preallocate(10_000);
        Assert.Equal(10_000, file.Length);
        file.Write(5_000, "hello"u8);
        var read = new byte[8];
        Assert.Equal(8, file.Read(4_998, read));
        Assert.Equal("\0\0hello\0", Encoding.UTF8.GetString(read));
        file.SetLength(5_002);
        file.Preallocate(6_000);
        Assert.Equal(8, file.Read(4_998, read));
        Assert.Equal("\0\0he\0\0\0\0", Encoding.UTF8.GetString(read));
        Assert.Equal(0, file.Read(7_000, read));
        file.Write(6_000, "end"u8);
        Assert.Equal(6_003, file.Length);
        file.Sync();
    }

    [Fact]
    public void Names_in_a_directory()
    {
        var directory = Path.Combine(_root, "a", "b");
        Assert.Empty(_files.ListFiles(directory));
        _files.CreateDirectory(directory);
        using (_files.Open(Path.Combine(directory, "two"), FileOpening.Create))
        using (_files.Open(Path.Combine(directory, "one"), FileOpening.Create)) _files.SyncDirectory(directory);
        Assert.Equal(["one", "two"], _files.ListFiles(directory));
        _files.Rename(Path.Combine(directory, "one"), Path.Combine(directory, "two"));
        Assert.Equal(["two"], _files.ListFiles(directory));
        _files.Delete(Path.Combine(directory, "two"));
        Assert.False(_files.FileExists(Path.Combine(directory, "two")));
        Assert.Throws<FileNotFoundException>(() => _files.Open(Path.Combine(directory, "two"), FileOpening.ReadWrite));
    }

    [Fact]
    public void Syncing_a_directory_that_is_not_there_fails_with_its_name()
    {
        if (OperatingSystem.IsWindows()) return;
        var missing = Path.Combine(_root, "missing");
        Assert.Contains(missing, Assert.Throws<IOException>(() => _files.SyncDirectory(missing)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_lock_is_held_once()
    {
        var path = Path.Combine(_root, "lock");
        using (_files.Lock(path))
            Assert.Equal(path, Assert.Throws<FileLockedException>(() => _files.Lock(path)).Path);
        _files.Lock(path).Dispose();
    }

    [Fact]
    public void A_node_s_storage_comes_back_from_the_real_disk()
    {
        var entries = Entries(1, 500, 1);
        using (var storage = NodeStorage.Open(_files, _root, SmallSegments))
        {
            storage.Log.AppendAndSync(Create(G1));
            foreach (var entry in entries) storage.Log.AppendAndSync(Append(G1, entry));
            var meta = storage.Snapshots.Save(G1, Meta(450, 1), stream => stream.Write(new byte[300_000]));
            storage.Log.AppendAndSync(new LogWrite(G1, HardState: null, [], Snapshot: meta));
            storage.Log.Append([Append(G1, Entries(501, 502, 1))]);
        }
        using var again = NodeStorage.Open(_files, _root, SmallSegments);
        var group = again.Groups.Single();
        Assert.Equal(450ul, group.Snapshot!.Index);
        Assert.Equal([.. entries[450..], .. Entries(501, 502, 1)], group.Entries);
        Assert.InRange(_files.ListFiles(Path.Combine(_root, "log")).Count, 1, 8);
    }

    [Fact]
    public void Appending_allocates_nothing_per_record()
    {
        using var storage = NodeStorage.Open(_files, _root);
        storage.Log.AppendAndSync(Create(G1));
        var payload = ByteString.CopyFrom(new byte[256]);
        ulong index = 0;
        long least = long.MaxValue;
        for (var round = 0; round < 20; round++)
        {
            var entries = new Protocol.Raft.Entry[1000];
            for (var i = 0; i < entries.Length; i++) entries[i] = new Protocol.Raft.Entry { Index = ++index, Term = 1, Payload = payload };
            LogWrite[] batch = [Append(G1, entries)];
            var before = GC.GetAllocatedBytesForCurrentThread();
            storage.Log.Append(batch);
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }
        Assert.InRange(least, 0, 500);
    }
}
