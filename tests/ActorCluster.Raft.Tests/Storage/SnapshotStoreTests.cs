using ActorCluster.Protocol;
using ActorCluster.Protocol.Raft;
using ActorCluster.Raft.Storage;
using ActorCluster.Simulation.Disk;
using static ActorCluster.Raft.Tests.Storage.StorageTestData;

namespace ActorCluster.Raft.Tests.Storage;

/// <summary>Snapshots exist whole or not at all, and the log never outruns them.</summary>
public class SnapshotStoreTests
{
    const string Folder = "/data/snapshots";

    readonly SimDisk _disk = new(new Xoshiro256(4));

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(256 * 1024)]
    [InlineData(700_001)]
    public void A_snapshot_comes_back_as_it_was_written(int size)
    {
        var content = Content(size, seed: 5);
        var saved = new SnapshotStore(_disk, Folder).Save(G1, Meta(7, 2), stream => stream.Write(content));
        Assert.Equal((ulong)size, saved.SizeBytes);

        var store = new SnapshotStore(_disk, Folder);
        Assert.Equal(saved, store.Newest(G1));
        Assert.Null(store.Newest(G2));
        Assert.Equal(content, Read(store, G1, saved));
        using var stream = store.Open(G1, saved);
        stream.Position = size / 2;
        var rest = new byte[size - (size / 2)];
        stream.ReadExactly(rest);
        Assert.Equal(content[(size / 2)..], rest);
    }

    [Fact]
    public void Only_the_newest_is_kept()
    {
        var store = new SnapshotStore(_disk, Folder);
        for (ulong i = 1; i <= 5; i++) store.Save(G1, Meta(i, 1), stream => stream.WriteByte((byte)i));
        store.Save(G2, Meta(3, 1), stream => stream.WriteByte(9));
        Assert.Equal(2, _disk.ListFiles(Folder).Count);
        Assert.Equal(5ul, store.Newest(G1)!.Index);
        store.Delete(G1);
        Assert.Null(store.Newest(G1));
        Assert.Single(_disk.ListFiles(Folder));
    }

    [Theory]
    [InlineData(0x01)]
    [InlineData(0xff)]
    public void A8_A_damaged_byte_is_noticed_and_no_older_snapshot_takes_its_place(byte flip)
    {
        var content = Content(1500, seed: 6);
        var store = new SnapshotStore(_disk, Folder);
        store.Save(G1, Meta(4, 1), stream => stream.WriteByte(1));
        var saved = store.Save(G1, Meta(7, 2), stream => stream.Write(content));
        var path = Path.Combine(Folder, _disk.ListFiles(Folder).Single());
        var whole = _disk.ReadFile(path);
        for (var position = 0; position < whole.Length; position++)
        {
            var damaged = whole.ToArray();
            damaged[position] ^= flip;
            _disk.WriteFile(path, damaged);
            var again = new SnapshotStore(_disk, Folder);
            byte[]? read = null;
            var error = Record.Exception(() =>
            {
                Assert.Equal(7ul, again.Newest(G1)!.Index);
                read = Read(again, G1, saved);
            });
            if (error is null) Assert.Equal(content, read); // A byte that stands for nothing.
            else Assert.Equal(G1, Assert.IsType<SnapshotDamagedException>(error).Group);
            Assert.True(error is not null || position is > 24 and < 100, $"byte {position} can change unnoticed");
        }
    }

    [Fact]
    public void A12_A_power_loss_at_any_step_of_saving_leaves_the_old_snapshot_or_the_new_one()
    {
        var oldContent = Content(3000, seed: 7);
        var newContent = Content(600_000, seed: 8);
        var sawOld = false;
        for (ulong seed = 0; seed < 30; seed++)
        {
            for (var step = 0; ; step++)
            {
                var disk = new SimDisk(new Xoshiro256(seed));
                var store = new SnapshotStore(disk, Folder);
                store.Save(G1, Meta(4, 1), stream => stream.Write(oldContent));
                disk.CrashAfterOperations = step;
                var died = false;
                try
                {
                    store.Save(G1, Meta(9, 1), stream => stream.Write(newContent));
                }
                catch (SimulatedCrashException)
                {
                    died = true;
                }
                disk.Crash();
                var again = new SnapshotStore(disk, Folder);
                var newest = again.Newest(G1)!;
                Assert.Equal(newest.Index == 9 ? newContent : oldContent, Read(again, G1, newest));
                Assert.Single(disk.ListFiles(Folder));
                sawOld |= newest.Index == 4;
                if (died) continue;
                Assert.Equal(9ul, newest.Index);
                Assert.True(step >= 8);
                break;
            }
        }
        Assert.True(sawOld);
    }

    [Fact]
    public void A11_A13_A_power_loss_at_any_step_of_snapshot_and_compaction_leaves_log_and_snapshot_that_meet()
    {
        for (ulong seed = 0; seed < 30; seed++)
        {
            for (var step = 0; ; step++)
            {
                var disk = new SimDisk(new Xoshiro256(seed));
                using (var storage = NodeStorage.Open(disk, "/data", SmallSegments)) SaveAndMark(storage, create: true, 40, 25);

                var died = false;
                var opened = NodeStorage.Open(disk, "/data", SmallSegments);
                disk.CrashAfterOperations = step;
                try
                {
                    SaveAndMark(opened, create: false, 80, 75);
                }
                catch (SimulatedCrashException)
                {
                    died = true;
                }
                opened.Dispose();
                disk.Crash();

                // And once more in the middle of opening.
                disk.CrashAfterOperations = (int)(seed % 5);
                try
                {
                    NodeStorage.Open(disk, "/data", SmallSegments).Dispose();
                }
                catch (SimulatedCrashException)
                {
                    disk.Crash();
                }
                disk.CrashAfterOperations = null;

                using var again = NodeStorage.Open(disk, "/data", SmallSegments);
                var group = again.Groups.Single();
                Assert.Contains(group.Snapshot!.Index, new ulong[] { 25, 75 });
                Assert.Equal(Content(5000, group.Snapshot.Index), Read(again.Snapshots, G1, group.Snapshot));
                var expected = group.Snapshot.Index + 1;
                foreach (var entry in group.Entries) Assert.Equal(expected++, entry.Index);
                Assert.True(expected > 40, "a synced entry is missing");
                // The log goes on after what was recovered.
                again.Log.AppendAndSync(Append(G1, Entries(expected, expected + 2, 9)));
                if (!died) break;
            }
        }

        static void SaveAndMark(NodeStorage storage, bool create, ulong last, ulong snapshot)
        {
            if (create) storage.Log.AppendAndSync(Create(G1));
            var first = create ? 1 : storage.Groups.Single().Entries[^1].Index + 1;
            for (var i = first; i <= last; i++) storage.Log.AppendAndSync(Append(G1, Entries(i, i, 1)));
            var meta = storage.Snapshots.Save(G1, Meta(snapshot, 1), stream => stream.Write(Content(5000, snapshot)));
            storage.Log.AppendAndSync(new LogWrite(G1, HardState: null, [], Snapshot: meta));
        }
    }

    [Fact]
    public void A11_A_received_snapshot_whose_mark_was_lost_replaces_the_log_at_the_next_start()
    {
        using (var storage = NodeStorage.Open(_disk, "/data", SmallSegments))
        {
            storage.Log.AppendAndSync(Create(G1, Entries(1, 10, 1)));
            storage.Snapshots.Save(G1, Meta(50, 3), stream => stream.WriteByte(1));
        }
        for (var start = 0; start < 2; start++)
        {
            using var storage = NodeStorage.Open(_disk, "/data", SmallSegments);
            var group = storage.Groups.Single();
            Assert.Equal(50ul, group.Snapshot!.Index);
            Assert.Empty(group.Entries);
            Assert.Equal(3ul, group.HardState.Term);
            Assert.True(group.HardState.Vote.IsNone);
        }
    }

    [Fact]
    public void A11_A_group_whose_log_was_released_for_a_lost_snapshot_is_suspect_and_the_others_are_not()
    {
        using (var storage = NodeStorage.Open(_disk, "/data", SmallSegments))
        {
            storage.Log.AppendAndSync(Create(G1, Entries(1, 10, 1)), Create(G2, Entries(1, 3, 1)));
            storage.Log.AppendAndSync(Vote(G1, term: 4, vote: 3, commit: 9));
            var meta = storage.Snapshots.Save(G1, Meta(8, 1), stream => stream.WriteByte(1));
            storage.Log.AppendAndSync(new LogWrite(G1, HardState: null, [], Snapshot: meta));
        }
        _disk.Delete(Path.Combine(Folder, _disk.ListFiles(Folder).Single()));

        // Found once, and remembered.
        for (var start = 0; start < 2; start++)
        {
            using var storage = NodeStorage.Open(_disk, "/data", SmallSegments);
            var lost = storage.Groups[0];
            Assert.Equal((G1, new HardState(4, new NodeUid(3), 0)), (lost.Group, lost.HardState));
            Assert.Null(lost.Snapshot);
            Assert.Empty(lost.Entries);
            Assert.Contains("missing", lost.Suspicion!.Reason, StringComparison.Ordinal);
            Assert.Null(storage.Groups[1].Suspicion);
            Assert.Equal(start == 0 ? 1 : 0, storage.Damages.Count);
        }
    }

    [Fact]
    public void A15_A_snapshot_damaged_at_any_byte_makes_its_group_suspect_and_a_new_one_of_a_leader_takes_its_place()
    {
        var meta = Meta(8, 1);
        using (var storage = NodeStorage.Open(_disk, "/data", SmallSegments))
        {
            storage.Log.AppendAndSync(Create(G1, Entries(1, 10, 1)));
            meta = storage.Snapshots.Save(G1, meta, stream => stream.Write(new byte[400]));
            storage.Log.AppendAndSync(new LogWrite(G1, HardState: null, [], Snapshot: meta));
        }
        var path = Path.Combine(Folder, _disk.ListFiles(Folder).Single());
        var (sound, log, votes) = (_disk.ReadFile(path), _disk.ReadFile(_disk.LastSegment()), _disk.ReadFile(VotesFile));
        for (var position = 0; position < sound.Length; position++)
        {
            var disk = new SimDisk(new Xoshiro256(2));
            foreach (var directory in new[] { StorageTestData.Directory, VotesDirectory, Folder }) disk.CreateDirectory(directory);
            var damaged = sound.ToArray();
            damaged[position] ^= 0x10;
            disk.WriteFile(path, damaged);
            disk.WriteFile(Path.Combine(StorageTestData.Directory, "0000000000000001.log"), log);
            disk.WriteFile(VotesFile, votes);
            if (position is >= 4 and < 8) continue; // another version, refused by name

            using (var storage = NodeStorage.Open(disk, "/data", SmallSegments))
            {
                Assert.Equal((G1, Path.GetFileName(path)), (storage.Damages.Single().Group, storage.Damages.Single().File));
                Assert.NotNull(storage.Groups.Single().Suspicion);

                // Even one that is older than the lost one.
                var other = storage.Snapshots.Save(G1, Meta(6, 1), stream => stream.Write(new byte[300]));
                storage.Log.AppendAndSync(new LogWrite(G1, HardState: null, Entries(7, 9, 1), Snapshot: other));
                storage.Log.AppendAndSync(new LogWrite(G1, HardState: null, [], Trusted: true));
            }
            using var again = NodeStorage.Open(disk, "/data", SmallSegments);
            Assert.Null(again.Groups.Single().Suspicion);
            Assert.Equal((6ul, 3), (again.Groups.Single().Snapshot!.Index, again.Groups.Single().Entries.Count));
        }
    }

    [Fact]
    public void Snapshots_without_a_log_are_refused()
    {
        using (var storage = NodeStorage.Open(_disk, "/data", SmallSegments))
        {
            storage.Log.AppendAndSync(Create(G1, Entries(1, 10, 1)));
            storage.Snapshots.Save(G1, Meta(8, 1), stream => stream.WriteByte(1));
        }
        foreach (var name in _disk.ListFiles(StorageTestData.Directory)) _disk.Delete(Path.Combine(StorageTestData.Directory, name));
        Assert.Contains("log", Assert.Throws<FileDamagedException>(() => NodeStorage.Open(_disk, "/data", SmallSegments)).Message, StringComparison.Ordinal);
    }

    static byte[] Content(int size, ulong seed)
    {
        var random = new Xoshiro256(seed);
        var content = new byte[size];
        for (var i = 0; i < size; i++) content[i] = (byte)random.NextUInt64();
        return content;
    }

    static byte[] Read(SnapshotStore store, GroupId group, SnapshotMeta meta)
    {
        using var stream = store.Open(group, meta);
        using var copy = new MemoryStream();
        stream.CopyTo(copy);
        return copy.ToArray();
    }
}
