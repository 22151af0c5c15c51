using ActorCluster.Protocol;
using ActorCluster.Raft.Storage;
using ActorCluster.Simulation.Disk;
using static ActorCluster.Raft.Tests.Storage.StorageTestData;

namespace ActorCluster.Raft.Tests.Storage;

/// <summary>Segments begin, are released, and refuse what would break the log's promises.</summary>
public class NodeLogSegmentTests
{
    readonly SimDisk _disk = new(new Xoshiro256(3));

    [Fact]
    public void Segments_go_when_snapshots_cover_their_entries()
    {
        using var log = NodeLog.Open(_disk, StorageTestData.Directory, SmallSegments);
        log.AppendAndSync(Create(G1));
        for (ulong i = 1; i <= 400; i++)
        {
            log.AppendAndSync(Append(G1, Entries(i, i, 1)));
            if (i % 20 == 0) log.AppendAndSync(Compact(G1, i - 5, 1));
        }
        Assert.InRange(_disk.Segments().Count, 1, 4);
        Assert.Equal(log.SizeBytes, _disk.Files().Values.Sum(f => (long)f.Length));
    }

    [Fact]
    public void A13_No_segment_goes_before_the_mark_that_releases_it_is_durable()
    {
        using var log = NodeLog.Open(_disk, StorageTestData.Directory, SmallSegments);
        log.AppendAndSync(Create(G1));
        for (ulong i = 1; i <= 60; i++) log.AppendAndSync(Append(G1, Entries(i, i, 1, payloadChars: 200)));
        var before = _disk.Segments();

        log.Append([Compact(G1, 60, 1)]);
        Assert.Equal(before, _disk.Segments());
        log.Sync();
        Assert.Single(_disk.Segments());
    }

    [Fact]
    public void A13_A_power_loss_at_any_step_of_releasing_leaves_a_log_that_opens()
    {
        for (ulong seed = 0; seed < 20; seed++)
        {
            for (var step = 0; ; step++)
            {
                var disk = new SimDisk(new Xoshiro256(seed));
                var log = NodeLog.Open(disk, StorageTestData.Directory, SmallSegments);
                log.AppendAndSync(Create(G1), Create(G2, Entries(1, 2, 1)));
                for (ulong i = 1; i <= 60; i++) log.AppendAndSync(Append(G1, Entries(i, i, 1, payloadChars: 200)));
                log.AppendAndSync(Compact(G2, 2, 1));

                disk.CrashAfterOperations = step;
                var died = false;
                try
                {
                    log.AppendAndSync(Compact(G1, 58, 1));
                }
                catch (SimulatedCrashException)
                {
                    died = true;
                }
                log.Dispose();
                disk.Crash();
                using var again = NodeLog.Open(disk, StorageTestData.Directory, SmallSegments);
                var group = again.Recovered[0];
                Assert.Equal(60ul, group.Entries[^1].Index);
                Assert.Equal((group.Snapshot?.Index ?? 0) + 1, group.Entries[0].Index);
                if (!died)
                {
                    Assert.Equal(58ul, group.Snapshot!.Index);
                    Assert.True(step > 4, "several segments were released one by one");
                    break;
                }
            }
        }
    }

    [Fact]
    public void A_new_segment_repeats_what_idle_groups_need()
    {
        using (var log = NodeLog.Open(_disk, StorageTestData.Directory, SmallSegments))
        {
            log.AppendAndSync(Create(G1), Create(G2, Entries(1, 9, 4)));
            log.AppendAndSync(Vote(G2, term: 9, vote: 3, commit: 9), Compact(G2, 9, 4));
            for (ulong i = 1; i <= 400; i++)
            {
                log.AppendAndSync(Append(G1, Entries(i, i, 1)));
                if (i % 20 == 0) log.AppendAndSync(Compact(G1, i, 1));
            }
        }
        Assert.DoesNotContain("0000000000000001.log", _disk.Segments());

        using var again = NodeLog.Open(_disk, StorageTestData.Directory, SmallSegments);
        var idle = again.Recovered.Single(g => g.Group == G2);
        Assert.Equal(new HardState(9, new NodeUid(3), 9), idle.HardState);
        Assert.Equal(Meta(9, 4), idle.Snapshot);
        Assert.Empty(idle.Entries);
    }

    [Fact]
    public void An_idle_group_without_a_snapshot_does_not_hold_old_segments()
    {
        using (var log = NodeLog.Open(_disk, StorageTestData.Directory, SmallSegments))
        {
            log.AppendAndSync(Create(G1, Entries(1, 9, 1)), Create(G2));
            log.AppendAndSync(Append(G1, Entries(7, 8, 2)));
            for (ulong i = 1; i <= 400; i++)
            {
                log.AppendAndSync(Append(G2, Entries(i, i, 1)));
                if (i % 20 == 0) log.AppendAndSync(Compact(G2, i, 1));
                Assert.InRange(_disk.Segments().Count, 1, 4);
            }
        }
        using var again = NodeLog.Open(_disk, StorageTestData.Directory, SmallSegments);
        Assert.Equal([.. Entries(1, 6, 1), .. Entries(7, 8, 2)], again.Recovered.Single(g => g.Group == G1).Entries);
        again.AppendAndSync(Append(G1, Entries(9, 9, 2)));
    }

    [Fact]
    public void A_power_loss_at_any_step_of_starting_a_segment_loses_nothing_durable()
    {
        for (ulong seed = 0; seed < 20; seed++)
        {
            for (var step = 0; step < 12; step++)
            {
                var disk = new SimDisk(new Xoshiro256(seed));
                var log = NodeLog.Open(disk, StorageTestData.Directory, SmallSegments);
                log.AppendAndSync(Create(G1));
                ulong durable = 0;
                while (disk.Segments().Count == 1 && disk.CrashAfterOperations is null)
                {
                    durable++;
                    log.AppendAndSync(Append(G1, Entries(durable, durable, 1)));
                    // The next batch needs the next segment.
                    if (durable == 13) disk.CrashAfterOperations = step;
                }
                var attempted = durable;
                try
                {
                    for (attempted++; attempted < durable + 3; attempted++) log.AppendAndSync(Append(G1, Entries(attempted, attempted, 1)));
                }
                catch (SimulatedCrashException)
                {
                    // What was attempted may or may not be there.
                }
                log.Dispose();
                disk.Crash();
                using var again = NodeLog.Open(disk, StorageTestData.Directory, SmallSegments);
                Assert.InRange(again.Recovered[0].Entries.Count, (int)durable, (int)attempted);
                Assert.DoesNotContain(disk.Segments(), n => n.EndsWith(".new", StringComparison.Ordinal));
            }
        }
    }

    [Fact]
    public void A_deleted_group_is_gone_and_holds_no_segment()
    {
        using (var log = NodeLog.Open(_disk, StorageTestData.Directory, SmallSegments))
        {
            log.AppendAndSync(Create(G1, Entries(1, 100, 1)), Create(G2));
            for (ulong i = 1; i <= 60; i++) log.AppendAndSync(Append(G2, Entries(i, i, 1)));
            log.AppendAndSync(Compact(G2, 60, 1));
            Assert.True(_disk.Segments().Count > 1);
            log.AppendAndSync(new LogWrite(G1, HardState: null, [], Delete: true));
            Assert.Single(_disk.Segments());
        }
        using var again = NodeLog.Open(_disk, StorageTestData.Directory, SmallSegments);
        Assert.Equal([G2], again.Recovered.Select(g => g.Group));
    }

    [Fact]
    public void B7_A_falling_term_or_a_changed_vote_is_an_invariant_violation_and_the_log_takes_nothing_any_more()
    {
        foreach (var wrong in new[] { Vote(G1, term: 4, vote: 2), Vote(G1, term: 5, vote: 3) })
        {
            var disk = new SimDisk(new Xoshiro256(1));
            using var log = NodeLog.Open(disk, StorageTestData.Directory);
            log.AppendAndSync(Create(G1));
            log.AppendAndSync(Vote(G1, term: 5, vote: 2));
            Assert.Throws<InvariantViolationException>(() => log.Append([wrong]));
            Assert.Throws<IOException>(() => log.Append([Vote(G1, term: 6, vote: 2)]));
        }
    }

    [Fact]
    public void A_gap_is_an_invariant_violation()
    {
        using var log = NodeLog.Open(_disk, StorageTestData.Directory);
        log.AppendAndSync(Create(G1, Entries(1, 3, 1)));
        Assert.Throws<InvariantViolationException>(() => log.Append([Append(G1, Entries(5, 5, 1))]));
    }

    [Fact]
    public void A_failed_sync_is_final()
    {
        using var log = NodeLog.Open(_disk, StorageTestData.Directory);
        log.AppendAndSync(Create(G1));
        log.Append([Append(G1, Entries(1, 1, 1))]);
        _disk.FailSyncAfter = 0;
        Assert.Throws<IOException>(log.Sync);
        Assert.Throws<IOException>(log.Sync);
        Assert.Throws<IOException>(() => log.Append([Append(G1, Entries(2, 2, 1))]));
    }
}
