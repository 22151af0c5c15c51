using System.Numerics;
using ActorCluster.Protocol;
using ActorCluster.Protocol.Raft;
using ActorCluster.Raft.Storage;
using ActorCluster.Simulation.Disk;
using Google.Protobuf;
using static ActorCluster.Raft.Tests.Storage.StorageTestData;

namespace ActorCluster.Raft.Tests.Storage;

/// <summary>What a log says when it is opened again after its bytes were lost, torn or damaged.</summary>
public class NodeLogRecoveryTests
{
    const int RecordHeaderBytes = 40;

    readonly SimDisk _disk = new(new Xoshiro256(1));
    byte[] _votes = [];
    int _firstEnd;

    [Fact]
    public void Everything_of_a_group_comes_back()
    {
        using (var log = NodeLog.Open(_disk, StorageTestData.Directory))
        {
            Assert.Empty(log.Recovered);
            log.AppendAndSync(
                Create(G1, Entry(1, 1, "", EntryKind.NoOp), Entry(2, 1, "two")),
                Create(G2));
            log.AppendAndSync(Vote(G1, term: 3, vote: 7, commit: 2), Append(G2, Entry(1, 1, new string('v', 70_000))));
            log.AppendAndSync(Compact(G1, 1, 1));
        }

        using var again = NodeLog.Open(_disk, StorageTestData.Directory);
        Assert.Equal([G1, G2], again.Recovered.Select(g => g.Group));
        var first = again.Recovered[0];
        Assert.Equal(new HardState(3, new NodeUid(7), 2), first.HardState);
        Assert.Equal(Config(1, 2, 3), first.InitialConfig);
        Assert.Equal(Meta(1, 1), first.Snapshot);
        Assert.Equal([Entry(2, 1, "two")], first.Entries);
        var second = again.Recovered[1];
        Assert.Null(second.Snapshot);
        Assert.Equal([Entry(1, 1, new string('v', 70_000))], second.Entries);
    }

    [Fact]
    public void A1_What_no_sync_covered_is_not_promised_and_what_one_covered_is_there()
    {
        var before = "";
        for (ulong seed = 0; seed < 50; seed++)
        {
            var disk = new SimDisk(new Xoshiro256(seed));
            using (var log = NodeLog.Open(disk, StorageTestData.Directory, SmallSegments))
            {
                log.AppendAndSync(Create(G1, Entries(1, 3, 1)));
                before = Text([new RecoveredGroup(G1, new HardState(1, new NodeUid(1), 0), Config(1, 2, 3), null, Entries(1, 3, 1))]);
                log.Append([Append(G1, Entries(4, 6, 1))]);
            }
            disk.Crash();
            var after = ReadBack(disk, SmallSegments);
            Assert.StartsWith(before, after, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A5_Entries_overwritten_before_a_snapshot_mark_do_not_come_back()
    {
        using (var log = NodeLog.Open(_disk, StorageTestData.Directory))
        {
            log.AppendAndSync(Create(G1, Entries(1, 10, 1)));
            log.AppendAndSync(Append(G1, Entries(4, 5, 2)));
            log.AppendAndSync(Compact(G1, 5, 2));
        }
        Assert.Equal(Text([Group(G1, Meta(5, 2), [])]), ReadBack(_disk));
    }

    [Fact]
    public void A5_A_snapshot_that_the_log_does_not_contain_replaces_the_whole_log()
    {
        using (var log = NodeLog.Open(_disk, StorageTestData.Directory))
        {
            log.AppendAndSync(Create(G1, Entries(1, 10, 1)));
            // Same index, other term: what follows index 5 here is not what follows it in the committed log.
            log.AppendAndSync(Compact(G1, 5, 2));
            log.AppendAndSync(Append(G1, Entries(6, 6, 2)));
        }
        Assert.Equal(Text([Group(G1, Meta(5, 2), Entries(6, 6, 2))]), ReadBack(_disk));
    }

    [Fact]
    public void A6_A_conflicting_suffix_supersedes_all_that_stood_there_also_across_segments()
    {
        using (var log = NodeLog.Open(_disk, StorageTestData.Directory, SmallSegments))
        {
            log.AppendAndSync(Create(G1, Entries(1, 200, 1)));
            for (ulong i = 201; i <= 230; i++) log.AppendAndSync(Append(G1, Entries(i, i, 1)));
            log.AppendAndSync(Append(G1, Entries(150, 152, 2)));
        }
        Assert.True(_disk.Segments().Count > 2);
        Assert.Equal(Text([Group(G1, null, [.. Entries(1, 149, 1), .. Entries(150, 152, 2)])]), ReadBack(_disk, SmallSegments));
    }

    [Fact]
    public void A7_A_last_batch_torn_at_any_byte_is_cut_and_the_log_goes_on()
    {
        var (before, after, start) = TwoBatches();
        var whole = _disk.ReadFile(_disk.LastSegment());
        var end = whole.AsSpan().LastIndexOfAnyExcept((byte)0) + 1;
        Assert.True(end > start + 150);

        for (var cut = start; cut < end; cut++)
        {
            // Lost from here on: as zeros (preallocated), and as a shorter file.
            foreach (var length in new[] { whole.Length, cut })
            {
                var torn = whole.AsSpan(0, length).ToArray();
                torn.AsSpan(cut).Clear();
                var disk = DiskWith(torn);
                Assert.Equal(before, ReadBack(disk, SmallSegments));
                using (var log = NodeLog.Open(disk, StorageTestData.Directory, SmallSegments)) log.AppendAndSync(Append(G2, Entries(5, 5, 4)));
                Assert.EndsWith("5/4/Command/" + $"{StableHash.Of("5/4"):x}", ReadBack(disk, SmallSegments), StringComparison.Ordinal);
            }
        }
        Assert.Equal(after, ReadBack(DiskWith(whole), SmallSegments));
    }

    [Fact]
    public void A7_A_last_batch_that_lost_any_one_sector_is_cut()
    {
        using (var log = NodeLog.Open(_disk, StorageTestData.Directory, SmallSegments))
        {
            log.AppendAndSync(Create(G1, Entries(1, 3, 1)));
            NoteVotes();
            log.AppendAndSync(Append(G1, Entries(4, 60, 1)));
        }
        var before = Text([Group(G1, null, Entries(1, 3, 1))]);
        var start = _firstEnd;
        var whole = _disk.ReadFile(_disk.LastSegment());
        var end = EndOfLog(_disk);
        Assert.True(end - start >= 4 * 512);

        for (var sector = start; sector < end; sector += 512)
        {
            var torn = whole.ToArray();
            torn.AsSpan(sector, 512).Clear();
            Assert.Equal(before, ReadBack(DiskWith(torn), SmallSegments));
        }
    }

    [Theory]
    [InlineData(0x01)]
    [InlineData(0x80)]
    [InlineData(0xff)]
    public void A8_Any_damaged_byte_of_the_last_batch_is_noticed_before_anything_is_allocated_by_it(byte flip)
    {
        var (before, _, start) = TwoBatches();
        var whole = _disk.ReadFile(_disk.LastSegment());
        var end = whole.AsSpan().LastIndexOfAnyExcept((byte)0) + 1;
        for (var position = start; position < end; position++)
        {
            var damaged = whole.ToArray();
            damaged[position] ^= flip;
            var disk = DiskWith(damaged);
            var allocatedBefore = GC.GetAllocatedBytesForCurrentThread();
            var text = ReadBack(disk, SmallSegments);
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - allocatedBefore, 0, 4 * 1024 * 1024);
            // Nothing was written after the batch, so it cannot be told from a torn one (docs/disk.md).
            Assert.Equal(before, text);
        }
    }

    [Fact]
    public void A9_After_a_seal_damage_of_the_last_batch_is_no_torn_tail()
    {
        using (var log = NodeLog.Open(_disk, StorageTestData.Directory, SmallSegments))
        {
            log.AppendAndSync(Create(G1, Entries(1, 3, 1)), Create(G2));
            NoteVotes();
            log.AppendAndSync(Append(G1, Entries(4, 4, 1)));
            log.Seal();
        }
        var whole = _disk.ReadFile(_disk.LastSegment());
        whole[_firstEnd + 90] ^= 1;
        using var again = NodeLog.Open(DiskWith(whole), StorageTestData.Directory, SmallSegments);
        Assert.Equal((G1, 4ul), (again.Damages.Single().Group, again.Damages.Single().Index));
        Assert.NotNull(again.Recovered[0].Suspicion);
        Assert.Null(again.Recovered[1].Suspicion);
    }

    [Fact]
    public void A9_What_a_start_found_is_marked_so_that_its_damage_is_no_torn_tail_later()
    {
        TwoBatches();
        NodeLog.Open(_disk, StorageTestData.Directory, SmallSegments).Dispose();
        _votes = _disk.ReadFile(VotesFile);
        var whole = _disk.ReadFile(_disk.LastSegment());
        whole[_firstEnd + 60] ^= 1;
        using var again = NodeLog.Open(DiskWith(whole), StorageTestData.Directory, SmallSegments);
        Assert.NotEmpty(again.Damages);
    }

    [Fact]
    public void A10_What_is_appended_after_a_cut_is_found_by_the_next_start()
    {
        for (ulong seed = 0; seed < 40; seed++)
        {
            var disk = new SimDisk(new Xoshiro256(seed));
            ulong durable = 0;
            for (var life = 0; life < 6; life++)
            {
                using var log = NodeLog.Open(disk, StorageTestData.Directory, SmallSegments);
                var last = log.Recovered.Count == 0 ? 0 : (ulong)log.Recovered[0].Entries.Count;
                Assert.True(last >= durable, $"seed {seed}, life {life}: {durable} entries were synced, {last} are there");
                if (last == 0) log.AppendAndSync(Create(G1));
                log.AppendAndSync(Append(G1, Entries(last + 1, last + 3, 1)));
                durable = last + 3;
                // Not synced: torn by the crash.
                log.Append([Append(G1, Entries(last + 4, last + 40, 1))]);
                disk.Crash();
            }
        }
    }

    [Fact]
    public void A_format_version_of_the_future_is_refused_by_name()
    {
        TwoBatches();
        var whole = _disk.ReadFile(_disk.LastSegment());
        SetVersion(whole, 3);
        var error = Assert.Throws<UnsupportedFormatException>(() => ReadBack(DiskWith(whole), SmallSegments));
        Assert.Equal(3u, error.Version);
    }

    [Fact]
    public void A_log_of_version_1_is_read_and_goes_on_in_a_segment_of_this_version()
    {
        var (_, after, _) = TwoBatches();
        var whole = _disk.ReadFile(_disk.LastSegment());
        SetVersion(whole, 1);
        for (var offset = 512; BitConverter.ToUInt32(whole, offset) != 0;) offset = WithoutHeaderChecksums(whole, offset);
        var disk = DiskWith(whole);
        using (var log = NodeLog.Open(disk, StorageTestData.Directory, SmallSegments))
        {
            Assert.Equal(after, Text(log.Recovered));
            Assert.Empty(log.Damages);
            log.AppendAndSync(Append(G2, Entries(5, 5, 4)));
        }
        Assert.Equal(2u, BitConverter.ToUInt32(disk.ReadFile(disk.LastSegment()), 8));
        Assert.EndsWith("5/4/Command/" + $"{StableHash.Of("5/4"):x}", ReadBack(disk, SmallSegments), StringComparison.Ordinal);
    }

    [Fact]
    public void A_batch_larger_than_a_segment_gets_one_of_its_own_size()
    {
        var large = new Entry { Index = 1, Term = 1, Payload = ByteString.CopyFrom(new byte[40_000]) };
        using (var log = NodeLog.Open(_disk, StorageTestData.Directory, SmallSegments))
        {
            log.AppendAndSync(Create(G1, large));
            log.AppendAndSync(Append(G1, Entries(2, 3, 1)));
        }
        Assert.Equal(Text([Group(G1, null, [large, .. Entries(2, 3, 1)])]), ReadBack(_disk, SmallSegments));
    }

    static RecoveredGroup Group(GroupId id, SnapshotMeta? snapshot, IReadOnlyList<Entry> entries) =>
        new(id, new HardState(1, new NodeUid(1), 0), Config(1, 2, 3), snapshot, entries);

    /// <summary>A log of two durable batches; what it says before and after the second, and where the second starts.</summary>
    (string Before, string After, int Start) TwoBatches()
    {
        using (var log = NodeLog.Open(_disk, StorageTestData.Directory, SmallSegments))
        {
            log.AppendAndSync(Create(G1, Entries(1, 3, 1)), Create(G2, Entries(1, 4, 2)));
            NoteVotes();
            log.AppendAndSync(Vote(G1, 5, 2), Append(G2, Entries(3, 4, 4)));
        }
        var before = Text([Group(G1, null, Entries(1, 3, 1)), Group(G2, null, Entries(1, 4, 2))]);
        var after = Text([Group(G1, null, Entries(1, 3, 1)) with { HardState = new HardState(5, new NodeUid(2), 0) }, Group(G2, null, [.. Entries(1, 2, 2), .. Entries(3, 4, 4)])]);
        return (before, after, _firstEnd);
    }

    /// <summary>The second copy of the votes is written after the log: of a batch that is torn it knows nothing.</summary>
    void NoteVotes()
    {
        _votes = _disk.ReadFile(VotesFile);
        _firstEnd = EndOfLog(_disk);
    }


    /// <summary>The sector after the last one that holds anything.</summary>
    static int EndOfLog(SimDisk disk)
    {
        var bytes = disk.ReadFile(disk.LastSegment());
        return (bytes.AsSpan().LastIndexOfAnyExcept((byte)0) + 1 + 511) & -512;
    }

    static void SetVersion(byte[] segment, uint version)
    {
        BitConverter.TryWriteBytes(segment.AsSpan(8), version);
        BitConverter.TryWriteBytes(segment.AsSpan(36), Crc32C.Of(segment.AsSpan(0, 36)));
    }

    /// <summary>Makes a batch what version 1 wrote: zeros where the header's checksum is now.</summary>
    /// <returns>Where the next batch starts.</returns>
    static int WithoutHeaderChecksums(byte[] segment, int offset)
    {
        var end = offset + BitConverter.ToInt32(segment, offset + RecordHeaderBytes);
        for (var record = offset; record < end;)
        {
            var bytes = segment.AsSpan(record, RecordHeaderBytes + BitConverter.ToInt32(segment, record + 4));
            bytes[12..16].Clear();
            var place = BitOperations.Crc32C(BitOperations.Crc32C(uint.MaxValue, 1ul), (ulong)record);
            BitConverter.TryWriteBytes(bytes, ~Crc32C.Continue(place, bytes[4..]));
            record += bytes.Length;
        }
        return (end + 511) & -512;
    }

    /// <summary>A disk with this log of one segment, and the second copy of terms and votes as it is.</summary>
    SimDisk DiskWith(byte[] segment)
    {
        var disk = new SimDisk(new Xoshiro256(2));
        disk.CreateDirectory(StorageTestData.Directory);
        disk.CreateDirectory(VotesDirectory);
        disk.WriteFile(Path.Combine(StorageTestData.Directory, "0000000000000001.log"), segment);
        disk.WriteFile(VotesFile, _votes);
        return disk;
    }
}
