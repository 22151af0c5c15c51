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
        Assert.True(_disk.ListFiles(StorageTestData.Directory).Count > 2);
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
        using (var log = NodeLog.Open(_disk, StorageTestData.Directory, SmallSegments)) log.AppendAndSync(Create(G1, Entries(1, 3, 1)));
        var before = ReadBack(_disk, SmallSegments);
        var start = EndOfLog(_disk);
        using (var log = NodeLog.Open(_disk, StorageTestData.Directory, SmallSegments)) log.AppendAndSync(Append(G1, Entries(4, 60, 1)));
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

    [Theory]
    [InlineData(0x01)]
    [InlineData(0x80)]
    [InlineData(0xff)]
    public void A9_Any_damaged_byte_below_the_last_marker_is_refused_by_name_and_nothing_is_changed(byte flip)
    {
        var (_, _, start) = TwoBatches();
        using (var log = NodeLog.Open(_disk, StorageTestData.Directory, SmallSegments)) log.AppendAndSync(Append(G1, Entries(4, 4, 1)));
        var whole = _disk.ReadFile(_disk.LastSegment());
        var named = 0;
        for (var position = 0; position < start + 300; position++)
        {
            var damaged = whole.ToArray();
            damaged[position] ^= flip;
            var padding = IsPadding(whole, position);
            var disk = DiskWith(damaged);
            if (padding)
            {
                ReadBack(disk, SmallSegments); // Zeros between batches carry nothing.
                continue;
            }
            var error = Assert.Throws<LogDamagedException>(() => ReadBack(disk, SmallSegments));
            Assert.Equal("0000000000000001.log", error.Segment);
            Assert.InRange(error.Offset, 0, position);
            Assert.Contains(error.Segment, error.Message, StringComparison.Ordinal);
            if (error.Group is { } group)
            {
                named++;
                Assert.Contains(group, new[] { G1, G2 });
            }
            Assert.Equal(damaged, disk.ReadFile(disk.LastSegment()));
        }
        Assert.True(named > 100, $"only {named} errors named a group");
    }

    [Fact]
    public void A9_Damage_is_refused_in_an_old_segment_too()
    {
        SeveralSegments();
        var files = _disk.Files();
        var oldest = files.Keys.Order(StringComparer.Ordinal).First();
        var disk = DiskWith(files);
        files[oldest].AsSpan(1030, 4).Fill(0x55);
        disk.WriteFile(Path.Combine(StorageTestData.Directory, oldest), files[oldest]);
        Assert.Equal(oldest, Assert.Throws<LogDamagedException>(() => ReadBack(disk, SmallSegments)).Segment);
    }

    [Fact]
    public void A9_A_segment_whose_end_is_missing_is_refused_when_another_follows()
    {
        SeveralSegments();
        var files = _disk.Files();
        var oldest = files.Keys.Order(StringComparer.Ordinal).First();
        files[oldest].AsSpan(files[oldest].AsSpan().LastIndexOfAnyExcept((byte)0) - 600).Clear();
        Assert.Equal(oldest, Assert.Throws<LogDamagedException>(() => ReadBack(DiskWith(files), SmallSegments)).Segment);
    }

    [Fact]
    public void A9_A_missing_segment_is_refused_by_name()
    {
        SeveralSegments();
        var files = _disk.Files();
        var second = files.Keys.Order(StringComparer.Ordinal).ElementAt(1);
        files.Remove(second);
        var error = Assert.Throws<LogDamagedException>(() => ReadBack(DiskWith(files), SmallSegments));
        Assert.Equal(second, error.Segment);
        Assert.Contains("missing", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A11_A_log_that_does_not_meet_its_snapshot_is_refused_by_group()
    {
        SeveralSegments();
        var files = _disk.Files();
        files.Remove(files.Keys.Order(StringComparer.Ordinal).First());
        var error = Assert.Throws<LogDamagedException>(() => ReadBack(DiskWith(files), SmallSegments));
        Assert.Equal(G1, error.Group);
    }

    [Fact]
    public void A9_After_a_seal_damage_of_the_last_batch_is_no_torn_tail()
    {
        var (_, _, start) = TwoBatches();
        using (var log = NodeLog.Open(_disk, StorageTestData.Directory, SmallSegments))
        {
            log.AppendAndSync(Append(G1, Entries(4, 4, 1)));
            log.Seal();
        }
        var whole = _disk.ReadFile(_disk.LastSegment());
        whole[start + 512 + 60] ^= 1;
        Assert.Throws<LogDamagedException>(() => ReadBack(DiskWith(whole), SmallSegments));
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
    public void Another_format_version_is_refused_by_name()
    {
        TwoBatches();
        var whole = _disk.ReadFile(_disk.LastSegment());
        whole[8] = 2;
        var crc = Crc32C.Of(whole.AsSpan(0, 36));
        BitConverter.TryWriteBytes(whole.AsSpan(36), crc);
        var error = Assert.Throws<UnsupportedFormatException>(() => ReadBack(DiskWith(whole), SmallSegments));
        Assert.Equal(2u, error.Version);
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
            log.AppendAndSync(Create(G1, Entries(1, 3, 1)), Create(G2, Entries(1, 4, 2)));
        var before = ReadBack(_disk, SmallSegments);
        var start = EndOfLog(_disk);
        using (var log = NodeLog.Open(_disk, StorageTestData.Directory, SmallSegments)) log.AppendAndSync(Vote(G1, 5, 2), Append(G2, Entries(3, 4, 4)));
        return (before, ReadBack(_disk, SmallSegments), start);
    }

    void SeveralSegments()
    {
        using var log = NodeLog.Open(_disk, StorageTestData.Directory, SmallSegments);
        log.AppendAndSync(Create(G1));
        for (ulong i = 1; i <= 60; i++) log.AppendAndSync(Append(G1, Entries(i, i, 1, payloadChars: 200)));
        Assert.True(_disk.ListFiles(StorageTestData.Directory).Count > 3);
    }

    /// <summary>The sector after the last one that holds anything.</summary>
    static int EndOfLog(SimDisk disk)
    {
        var bytes = disk.ReadFile(disk.LastSegment());
        return (bytes.AsSpan().LastIndexOfAnyExcept((byte)0) + 1 + 511) & -512;
    }

    /// <summary>Is the byte behind the end of its batch or of the segment's header?</summary>
    static bool IsPadding(byte[] segment, int position)
    {
        if (position < 512) return position >= 40;
        for (var offset = 512; ;)
        {
            var length = BitConverter.ToInt32(segment, offset + RecordHeaderBytes);
            var next = (offset + length + 511) & -512;
            if (position < next) return position >= offset + length;
            offset = next;
        }
    }

    static SimDisk DiskWith(byte[] segment) => DiskWith(new Dictionary<string, byte[]> { ["0000000000000001.log"] = segment });

    static SimDisk DiskWith(Dictionary<string, byte[]> files)
    {
        var disk = new SimDisk(new Xoshiro256(2));
        disk.CreateDirectory(StorageTestData.Directory);
        foreach (var (name, bytes) in files) disk.WriteFile(Path.Combine(StorageTestData.Directory, name), bytes);
        return disk;
    }
}
