using ActorCluster.Protocol;
using ActorCluster.Raft.Storage;
using ActorCluster.Simulation.Disk;
using static ActorCluster.Raft.Tests.Storage.StorageTestData;

namespace ActorCluster.Raft.Tests.Storage;

/// <summary>Room is reserved before it is promised: a full disk refuses what is new and breaks nothing.</summary>
public sealed class DiskFullTests
{
    static readonly TimeSpan Hang = TimeSpan.FromSeconds(30); // Only a broken writer takes this long.

    [Fact]
    public void The_next_segment_is_reserved_and_when_that_fails_there_is_one_left()
    {
        var disk = new SimDisk(new Xoshiro256(1));
        using var log = NodeLog.Open(disk, StorageTestData.Directory, SmallSegments);
        log.AppendAndSync(Create(G1));
        disk.IsFull = true;
        Assert.False(log.IsShortOfSpace);

        FillUntilFull(disk, log, l => l.IsShortOfSpace);
        Assert.False(log.IsNearlyOutOfSpace);
        var votes = FillUntilFull(disk, log, l => l.IsNearlyOutOfSpace);
        Assert.True(votes > 3, "the reserve is a segment");
    }

    [Fact]
    public void A_log_without_room_refuses_and_goes_on_when_there_is_room_again()
    {
        var disk = new SimDisk(new Xoshiro256(1));
        var before = "";
        using (var log = NodeLog.Open(disk, StorageTestData.Directory, SmallSegments))
        {
            log.AppendAndSync(Create(G1));
            disk.IsFull = true;
            FillUntilFull(disk, log, _ => false);
            before = Text(new RecoveredGroup(G1, new HardState(1, new NodeUid(1), 0), Config(1, 2, 3), null, Entries(1, _last, 1, 200)));
            Assert.Throws<DiskFullException>(() => log.Append([Append(G1, Entries(_last + 1, _last + 1, 1, 200))]));
        }

        // A start finds what was acknowledged, and a full disk does not hold it up.
        using (var log = NodeLog.Open(disk, StorageTestData.Directory, SmallSegments))
        {
            Assert.Equal(before, Text(log.Recovered));
            Assert.True(log.IsShortOfSpace);
            Assert.Throws<DiskFullException>(() => log.Append([Append(G1, Entries(_last + 1, _last + 1, 1, 200))]));
            disk.IsFull = false;
            log.Reserve();
            Assert.False(log.IsShortOfSpace);
            log.AppendAndSync(Append(G1, Entries(_last + 1, _last + 1, 1, 200)));
        }

        using var again = NodeLog.Open(disk, StorageTestData.Directory, SmallSegments);
        Assert.Equal((int)_last + 1, again.Recovered.Single().Entries.Count);
    }

    [Fact]
    public void A_torn_tail_is_cut_on_a_full_disk_too_and_gives_no_room_away()
    {
        for (ulong seed = 0; seed < 20; seed++)
        {
            var disk = new SimDisk(new Xoshiro256(seed));
            using (var log = NodeLog.Open(disk, StorageTestData.Directory, SmallSegments))
            {
                log.AppendAndSync(Create(G1, Entries(1, 3, 1)));
                log.Append([Append(G1, Entries(4, 60, 1))]);
            }

            disk.Crash();
            disk.IsFull = true;
            using var again = NodeLog.Open(disk, StorageTestData.Directory, SmallSegments);
            var last = (ulong)again.Recovered.Single().Entries.Count;
            again.AppendAndSync(Append(G1, Entries(last + 1, last + 1, 1)));
        }
    }

    [Fact]
    public async Task A_writer_waits_for_room_and_then_reports_what_waited()
    {
        var disk = new SimDisk(new Xoshiro256(1));
        var options = new LogWriterOptions { Housekeeping = TimeSpan.FromMilliseconds(1) };
        using var writer = new LogWriter(NodeLog.Open(disk, StorageTestData.Directory, SmallSegments), options);
        var short1 = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        writer.Submit(Create(G1), () =>
        {
            disk.IsFull = true; // on the writer's own thread: the disk is not used meanwhile
            short1.SetResult();
        });
        await short1.Task.WaitAsync(Hang);

        // Far more than is reserved: the last of them cannot be durable while the disk is full.
        var durable = 0;
        var all = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var some = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        for (ulong i = 1; i <= 200; i++)
        {
            writer.Submit(Append(G1, Entries(i, i, 1, 300)), () =>
            {
                some.TrySetResult();
                if (++durable == 200) all.SetResult();
            });
            if (i == 1) await some.Task.WaitAsync(Hang);
        }

        while (!writer.IsShortOfSpace) await Task.Yield();
        Assert.False(all.Task.IsCompleted);
        Assert.False(writer.Failed.IsCompleted);
        disk.IsFull = false;
        await all.Task.WaitAsync(Hang);
        while (writer.IsShortOfSpace) await Task.Yield();
    }

    [Fact]
    public void A_snapshot_that_finds_no_room_leaves_the_one_before_it_and_no_rubbish()
    {
        var disk = new SimDisk(new Xoshiro256(1));
        using var storage = NodeStorage.Open(disk, "/data", SmallSegments);
        storage.Log.AppendAndSync(Create(G1, Entries(1, 9, 1)));
        storage.Snapshots.Save(G1, Meta(3, 1), stream => stream.Write(new byte[100]));
        Assert.Throws<DiskFullException>(() => storage.Snapshots.Save(G1, Meta(5, 1), stream =>
        {
            disk.IsFull = true;
            stream.Write(new byte[600_000]);
        }));
        Assert.Equal(3ul, storage.Snapshots.Newest(G1)!.Index);
        Assert.Single(disk.ListFiles("/data/snapshots"));
    }

    [SmallDiskFact]
    public void A_real_disk_of_a_few_megabytes_fills_up_and_recovers()
    {
        using var mount = SmallDisk.Mount(megabytes: 4);
        var options = new NodeLogOptions(SegmentBytes: 512 * 1024);
        var directory = Path.Combine(mount.Path, "log");
        var ballast = Path.Combine(mount.Path, "ballast");
        ulong last = 0;
        using (var log = NodeLog.Open(OsFileSystem.Instance, directory, options))
        {
            log.AppendAndSync(Create(G1));
            Assert.False(log.IsShortOfSpace);
            SmallDisk.Fill(ballast);
            while (!log.IsNearlyOutOfSpace) Next(log);

            // Elections go on in the reserve, until that is used up as well.
            for (ulong term = 2; term < 20; term++) log.AppendAndSync(Vote(G1, term, vote: term));
            Assert.Throws<DiskFullException>((Action)(() =>
            {
                while (true) Next(log);
            }));
            File.Delete(ballast);
            log.Reserve();
            Assert.False(log.IsShortOfSpace);
            Next(log);
        }

        using var again = NodeLog.Open(OsFileSystem.Instance, directory, options);
        Assert.Equal((last, 19ul), ((ulong)again.Recovered.Single().Entries.Count, again.Recovered.Single().HardState.Term));

        void Next(NodeLog log)
        {
            log.AppendAndSync(Append(G1, Entries(last + 1, last + 1, 1, payloadChars: 8_000)));
            last++;
        }
    }

    ulong _last;

    /// <summary>Appends until something is so, or until there is no room.</summary>
    int FillUntilFull(SimDisk disk, NodeLog log, Func<NodeLog, bool> until)
    {
        Assert.True(disk.IsFull);
        var count = 0;
        while (!until(log))
        {
            try
            {
                log.AppendAndSync(Append(G1, Entries(_last + 1, _last + 1, 1, 200)));
            }
            catch (DiskFullException)
            {
                return count;
            }

            _last++;
            count++;
        }

        return count;
    }
}
