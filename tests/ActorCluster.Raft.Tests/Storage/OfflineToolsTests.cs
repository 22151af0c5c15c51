using ActorCluster.Protocol;
using ActorCluster.Protocol.Raft;
using ActorCluster.Raft.Storage;
using ActorCluster.Raft.Storage.Offline;
using ActorCluster.Simulation.Disk;
using static ActorCluster.Raft.Tests.Storage.StorageTestData;

namespace ActorCluster.Raft.Tests.Storage;

/// <summary>The inspector says what is there and changes nothing; forced recovery is recorded and leaves one voter.</summary>
public sealed class OfflineToolsTests
{
    readonly SimDisk _disk = new(new Xoshiro256(1));

    public OfflineToolsTests()
    {
        using var storage = NodeStorage.Open(_disk, "/data", SmallSegments);
        storage.Log.AppendAndSync(Create(G1, Entries(1, 5, 1)), Create(G2, Entries(1, 4, 2)));
        storage.Log.AppendAndSync(Vote(G1, term: 3, vote: 2, commit: 4), Append(G1, [Entry(6, 3), Config(7, 3, 1, 2, 3, 4)]));
        var meta = storage.Snapshots.Save(G2, Meta(3, 2), stream => stream.Write(new byte[100]));
        storage.Log.AppendAndSync(new LogWrite(G2, HardState: null, [], Snapshot: meta));
        storage.Log.Seal();
    }

    [Fact]
    public void The_inspector_tells_ranges_terms_configurations_and_snapshots_and_changes_nothing()
    {
        var before = Everything();
        var report = StorageInspector.Inspect(_disk, "/data", inUse: false);
        Assert.Equal(before, Everything());

        Assert.Empty(report.Damages);
        Assert.False(report.HasTornTail);
        Assert.Equal([1ul, 1002ul], report.Segments.Single().Groups);
        var first = report.Groups[0];
        Assert.Equal(("coordinator", 3ul, 4ul, 1ul, 7ul, 3ul), (first.Name, first.Term, first.Commit, first.FirstIndex, first.LastIndex, first.LastTerm));
        Assert.Equal([new TermRange(1, 1, 5), new TermRange(3, 6, 7)], first.Terms);
        Assert.Equal([0ul, 7ul], first.Configs.Select(c => c.Index));
        Assert.Equal(4, first.Configs[1].Voters.Count);
        var second = report.Groups[1];
        Assert.Equal(("partition 2", 4ul, 3ul), (second.Name, second.FirstIndex, second.Snapshot!.Index));
    }

    [Fact]
    public void A9_The_inspector_names_damage_and_who_will_be_suspect()
    {
        var bytes = _disk.ReadFile(_disk.LastSegment());
        var at = bytes.AsSpan().IndexOf("4/2"u8);
        bytes[at] ^= 1;
        _disk.WriteFile(_disk.LastSegment(), bytes);
        var snapshot = Path.Combine("/data/snapshots", _disk.ListFiles("/data/snapshots").Single());
        var content = _disk.ReadFile(snapshot);
        content[^1] ^= 1;
        _disk.WriteFile(snapshot, content);

        var report = StorageInspector.Inspect(_disk, "/data", inUse: false);
        Assert.Equal([(1002ul, 4ul), (1002ul, 3ul)], report.Damages.Select(d => (d.Group!.Value, d.Index!.Value)));
        Assert.Equal(Path.GetFileName(snapshot), report.Damages[1].File);
        Assert.Equal("", report.Groups[0].Suspicion);
        Assert.Contains("index 4", report.Groups[1].Suspicion, StringComparison.Ordinal);
    }

    [Fact]
    public void Forced_recovery_leaves_one_voter_in_a_term_of_its_own_and_says_who_did_it_in_every_segment_from_then_on()
    {
        var self = new NodeUid(3);
        var done = ForcedRecovery.Run(_disk, "/data", self, [G1], "2026-01-01 by me: because");
        Assert.Equal((G1, 7ul, 3 + ForcedRecovery.TermStep), (done.Single().Group, done.Single().LastIndex, done.Single().Term));

        using (var storage = NodeStorage.Open(_disk, "/data", SmallSegments))
        {
            var core = new RaftNode(new RaftConfig(G1, self), storage.Groups[0], appliedIndex: 0, new Xoshiro256(1));
            Assert.Equal([self], core.Voters);
            for (var tick = 0; tick < 40; tick++)
            {
                core.Tick();
                while (core.HasReady)
                {
                    if (core.TakeReady().Write is { } write) core.Durable(write);
                }
            }

            Assert.Equal((RaftRole.Leader, 9ul), (core.Role, core.CommitIndex));
            Assert.Equal(3, storage.Groups[1].InitialConfig.Voters.Count); // the other group is as it was

            // Into the next segments, where the record itself is gone.
            for (ulong i = 5; i <= 300; i++) storage.Log.AppendAndSync(Append(G2, Entries(i, i, 2, 100)));
        }

        var report = StorageInspector.Inspect(_disk, "/data", inUse: false);
        Assert.Equal("2026-01-01 by me: because", report.Groups[0].ForcedRecovery);
        Assert.Equal("", report.Groups[1].ForcedRecovery);
    }

    [Fact]
    public void A15_Forced_recovery_makes_a_suspect_replica_trusted_and_says_that_it_was_suspect()
    {
        _disk.Delete(Path.Combine("/data/snapshots", _disk.ListFiles("/data/snapshots").Single()));
        var done = ForcedRecovery.Run(_disk, "/data", new NodeUid(1), [], "by me");
        Assert.Null(done[0].Suspicion);
        Assert.NotNull(done[1].Suspicion);
        Assert.Equal(0ul, done[1].LastIndex);
        using var storage = NodeStorage.Open(_disk, "/data", SmallSegments);
        Assert.All(storage.Groups, g => Assert.Null(g.Suspicion));
    }

    [Fact]
    public void Forced_recovery_of_a_group_that_is_not_there_does_nothing()
    {
        var error = Assert.Throws<ArgumentException>(() => ForcedRecovery.Run(_disk, "/data", new NodeUid(1), [new GroupId(5)], "by me"));
        Assert.Contains("coordinator", error.Message, StringComparison.Ordinal);
        Assert.All(StorageInspector.Inspect(_disk, "/data", inUse: false).Groups, g => Assert.Equal("", g.ForcedRecovery));
    }

    static Entry Config(ulong index, ulong term, params ulong[] voters) =>
        new() { Index = index, Term = term, Kind = EntryKind.Config, Payload = Google.Protobuf.MessageExtensions.ToByteString(StorageTestData.Config(voters)) };

    string Everything() => string.Join('\n', new[] { StorageTestData.Directory, VotesDirectory, "/data/snapshots" }
        .SelectMany(d => _disk.Files(d).Select(f => $"{d}/{f.Key} {Crc32C.Of(f.Value):x}")));
}
