using ActorCluster.Protocol;
using ActorCluster.Raft.Storage;
using ActorCluster.Simulation.Disk;
using static ActorCluster.Raft.Tests.Storage.StorageTestData;

namespace ActorCluster.Raft.Tests.Storage;

/// <summary>
/// A small log with everything that a log can hold, damaged at every byte and in every sector, and compared with its history: what
/// is lost is named, whose log may lack something is suspect, its log is one that it had once, its term and vote are what they
/// were, and every other group has lost nothing.
/// </summary>
public class NodeLogDamageTests
{
    const int SectorBytes = 512;
    static readonly GroupId G3 = new(1003);
    static readonly NodeLogOptions Segments = new(SegmentBytes: 4 * 1024);

    readonly SimDisk _disk = new(new Xoshiro256(1));

    /// <summary>The state of each group after every record that it ever got.</summary>
    readonly Dictionary<GroupId, List<RecoveredGroup>> _history = [];

    readonly ModelLog _model = new();

    public NodeLogDamageTests()
    {
        using var log = NodeLog.Open(_disk, StorageTestData.Directory, Segments);
        Write(log, Create(G1, Entries(1, 3, 1)), Create(G2, Entries(1, 4, 2)));
        Write(log, Vote(G1, term: 3, vote: 2, commit: 3), Append(G2, Entries(5, 6, 2)));
        Write(log, Create(G3, Entries(1, 2, 1)));
        Write(log, new LogWrite(G1, new HardState(4, new NodeUid(1), 3), Entries(3, 6, 4)), Append(G3, Entries(3, 3, 1)));
        for (ulong i = 7; i <= 24; i++) Write(log, Append(G1, Entries(i, i, 4, payloadChars: 120)));
        Write(log, Compact(G1, 12, 4), Append(G2, Entries(4, 8, 5)) with { HardState = new HardState(5, new NodeUid(3), 3) });
        Write(log, Append(G1, Entries(20, 21, 6)) with { HardState = new HardState(6, NodeUid.None, 14) });
        Write(log, Vote(G3, term: 9, vote: 3, commit: 2));
        log.Seal();
    }

    [Fact]
    public void The_log_has_several_segments_with_live_entries() => Assert.InRange(_disk.Segments().Count, 2, 4);

    [Theory]
    [InlineData(0x01)]
    [InlineData(0x80)]
    [InlineData(0xff)]
    public void A9_A15_Damage_of_any_byte_is_named_and_makes_no_more_than_its_group_suspect(byte flip)
    {
        var (named, unnamed, harmless) = (0, 0, 0);
        foreach (var name in _disk.Segments())
        {
            var sound = _disk.ReadFile(Path.Combine(StorageTestData.Directory, name));
            for (var position = 0; position < LastByte(sound) + 1; position++)
            {
                if (position is >= 8 and < 12) continue; // another version: refused by name
                var damaged = sound.ToArray();
                damaged[position] ^= flip;
                using var log = Open(DiskWith(name, damaged));
                if (log.Damages.Count == 0)
                {
                    harmless++;
                    Assert.Equal(_model.Text, Text(log.Recovered));
                    continue;
                }

                Assert.Equal(name, log.Damages[0].File);
                Assert.InRange(log.Damages[0].Offset, 0, position);
                if (log.Damages[0].Group is { } group)
                {
                    named++;
                    Assert.All(log.Recovered, g => Assert.Equal(g.Group == group, g.Suspicion is not null));
                }
                else
                {
                    unnamed++;
                }

                Check(log.Recovered, $"{name} byte {position}");
            }
        }

        // Most bytes belong to bodies, so most damage has a name; what lies between batches carries nothing.
        Assert.True(named > 1000 && unnamed > 200 && harmless > 500, $"{named} named, {unnamed} not, {harmless} harmless");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A9_A15_A_sector_that_reads_as_zeros_or_as_another_one_is_noticed(bool misdirected)
    {
        foreach (var name in _disk.Segments())
        {
            var sound = _disk.ReadFile(Path.Combine(StorageTestData.Directory, name));
            for (var sector = 0; sector * SectorBytes < LastByte(sound); sector++)
            {
                var damaged = sound.ToArray();
                var place = damaged.AsSpan(sector * SectorBytes, SectorBytes);
                if (misdirected) sound.AsSpan((sector == 1 ? 2 : 1) * SectorBytes, SectorBytes).CopyTo(place);
                else place.Clear();
                using var log = Open(DiskWith(name, damaged));

                // The seal says that all before it is durable; of itself nobody says so.
                var isSeal = name == _disk.Segments()[^1] && (sector + 1) * SectorBytes > LastByte(sound);
                Assert.Equal(isSeal, log.Damages.Count == 0);
                Check(log.Recovered, $"{name} sector {sector}");
            }
        }
    }

    [Fact]
    public void A9_A15_A_missing_segment_and_one_without_its_end_are_named()
    {
        foreach (var name in _disk.Segments().SkipLast(1))
        {
            var sound = _disk.ReadFile(Path.Combine(StorageTestData.Directory, name));
            for (var length = -SectorBytes; length < LastByte(sound); length += SectorBytes)
            {
                using var log = Open(DiskWith(name, length < 0 ? null : sound[..length]));
                Assert.NotEmpty(log.Damages);
                Check(log.Recovered, $"{name} of {length} bytes");
            }
        }
    }

    [Fact]
    public void A11_A_log_that_does_not_reach_back_to_its_snapshot_is_suspect_by_name()
    {
        using var log = Open(DiskWith(_disk.Segments()[0], null));
        Assert.Contains(log.Damages, d => d.Group == G1 && d.Reason.Contains("its snapshot ends", StringComparison.Ordinal));
        Assert.All(log.Recovered, g => Assert.Equal((g.Snapshot?.Index ?? 0) + (ulong)g.Entries.Count, g.Entries.LastOrDefault()?.Index ?? g.Snapshot?.Index ?? 0));
    }

    [Fact]
    public void B7_Damage_of_the_second_copy_alone_costs_nothing_and_it_is_written_again()
    {
        var sound = _disk.ReadFile(VotesFile);
        for (var position = 0; position < SectorBytes + (3 * 2 * SectorBytes); position++)
        {
            if (position is >= 8 and < 12) continue; // another version: refused by name
            var damaged = sound.ToArray();
            damaged[position] ^= 0x40;
            var disk = DiskWith("", null);
            disk.WriteFile(VotesFile, damaged);
            using (var log = Open(disk)) Assert.Equal(_model.Text, Text(log.Recovered));
            using (var log = Open(disk)) Assert.Empty(log.Damages);
        }
    }

    [Fact]
    public void B7_Without_either_copy_of_term_and_vote_a_suspect_replica_says_so_for_ever()
    {
        var name = _disk.Segments()[^1];
        var damaged = _disk.ReadFile(Path.Combine(StorageTestData.Directory, name));
        damaged.AsSpan(SectorBytes, LastByte(damaged) - (2 * SectorBytes)).Clear();
        var disk = DiskWith(name, damaged);
        var votes = disk.ReadFile(VotesFile);
        votes.AsSpan(SectorBytes).Fill(0x55);
        disk.WriteFile(VotesFile, votes);
        for (var start = 0; start < 3; start++)
        {
            using var log = Open(disk);
            Assert.All(log.Recovered, g => Assert.True(g.Suspicion!.TermIsLost));
            Assert.Throws<InvariantViolationException>(() => log.Append([new LogWrite(G1, null, [], Trusted: true)]));
        }
    }

    [Fact]
    public void A15_A_vote_that_the_log_lost_silently_is_known_from_the_second_copy()
    {
        // A log that ends before its last batch, as if that had been torn: but the vote in it had been given.
        var disk = DiskWith("", null);
        using (var log = Open(disk)) log.AppendAndSync(Vote(G1, term: 8, vote: 2, commit: 3));
        var path = disk.LastSegment();
        var bytes = disk.ReadFile(path);
        bytes.AsSpan(LastByte(bytes) / SectorBytes * SectorBytes, SectorBytes).Clear();
        disk.WriteFile(path, bytes);

        using var again = Open(disk);
        var group = again.Recovered.Single(g => g.Group == G1);
        Assert.Equal((8ul, new NodeUid(2)), (group.HardState.Term, group.HardState.Vote));
        Assert.NotNull(group.Suspicion);
        Assert.Equal("votes", again.Damages.Single().File);
    }

    [Fact]
    public void A15_A_replica_that_the_log_lost_silently_is_known_from_the_second_copy()
    {
        // Made, and its vote given, in the last batch: without it the replica would begin anew and could vote again in that term.
        var lost = new GroupId(1004);
        var disk = DiskWith("", null);
        using (var log = Open(disk)) log.AppendAndSync(Create(lost, Entries(1, 2, 1)));
        var path = disk.LastSegment();
        var bytes = disk.ReadFile(path);
        bytes.AsSpan(LastByte(bytes) / SectorBytes * SectorBytes, SectorBytes).Clear();
        disk.WriteFile(path, bytes);

        for (var start = 0; start < 2; start++)
        {
            using var again = Open(disk);
            var group = again.Recovered.Single(g => g.Group == lost);
            Assert.Equal((1ul, new NodeUid(1)), (group.HardState.Term, group.HardState.Vote));
            Assert.Equal(Config(1, 2, 3), group.InitialConfig);
            Assert.Empty(group.Entries);
            Assert.False(group.Suspicion!.TermIsLost);
            Assert.Equal(start == 0 ? [lost] : [], again.Damages.Select(d => d.Group!.Value));
        }
    }

    [Fact]
    public void A_repaired_group_is_trusted_after_the_next_start_and_the_damage_is_not_met_again()
    {
        var name = _disk.Segments()[0];
        var damaged = _disk.ReadFile(Path.Combine(StorageTestData.Directory, name));
        damaged.AsSpan(SectorBytes, 1024).Clear();
        var disk = DiskWith(name, damaged);
        using (var log = Open(disk))
        {
            foreach (var group in log.Recovered.Where(g => g.Suspicion is not null))
            {
                var last = (group.Snapshot?.Index ?? 0) + (ulong)group.Entries.Count;
                log.AppendAndSync(Append(group.Group, Entries(last + 1, last + 2, 9)));
                log.AppendAndSync(new LogWrite(group.Group, null, [], Trusted: true));
            }
        }

        using var again = Open(disk);
        Assert.Empty(again.Damages);
        Assert.All(again.Recovered, g => Assert.Null(g.Suspicion));
        Assert.Contains(disk.ListFiles(StorageTestData.Directory), n => n == name + ".damaged");
    }

    [Fact]
    public void A12_A_power_loss_at_any_step_of_writing_the_log_again_leaves_one_that_says_the_same()
    {
        var name = _disk.Segments()[0];
        var damaged = _disk.ReadFile(Path.Combine(StorageTestData.Directory, name));
        damaged[SectorBytes + 100] ^= 1;
        var expected = "";
        using (var log = Open(DiskWith(name, damaged))) expected = Summary(log.Recovered);
        for (ulong seed = 0; seed < 20; seed++)
        {
            for (var step = 0; ; step++)
            {
                var disk = DiskWith(name, damaged, seed);
                disk.CrashAfterOperations = step;
                var died = false;
                try
                {
                    Open(disk).Dispose();
                }
                catch (SimulatedCrashException)
                {
                    died = true;
                }

                disk.Crash();
                using var again = Open(disk);
                Assert.Equal(expected, Summary(again.Recovered));
                if (died) continue;
                Assert.True(step > 6, "the log was written again in several steps");
                break;
            }
        }
    }

    static string Summary(IEnumerable<RecoveredGroup> groups) =>
        string.Join('\n', groups.Select(g => $"{Text(g with { HardState = g.HardState with { Commit = 0 } })} suspect {g.Suspicion is not null}"));

    void Check(IReadOnlyList<RecoveredGroup> recovered, string where)
    {
        Assert.Equal(_model.Groups.Keys, recovered.Select(g => g.Group));
        foreach (var found in recovered)
        {
            var truth = _model.Groups[found.Group];
            Assert.True((truth.HardState.Term, truth.HardState.Vote) == (found.HardState.Term, found.HardState.Vote), $"{where}: {found.Group} has {found.HardState}");
            Assert.Equal(truth.InitialConfig, found.InitialConfig);
            if (found.Suspicion is null)
            {
                Assert.True(Text(truth) == Text(found), $"{where}: {found.Group} lost something and is not suspect: {Text(found)}");
                continue;
            }

            Assert.False(found.Suspicion.TermIsLost, where);
            Assert.True(found.HardState.Commit <= (found.Snapshot?.Index ?? 0), $"{where}: {found.Group} believes the commit index of a log that it lost");
            Assert.True(
                found.Entries.Count == 0 || _history[found.Group].Exists(h => WasOnceThere(h, found)),
                $"{where}: {found.Group} never had the log {Text(found)}");
        }
    }

    /// <summary>The log is a beginning of what was there at that moment.</summary>
    static bool WasOnceThere(RecoveredGroup then, RecoveredGroup found)
    {
        var start = found.Snapshot?.Index ?? 0;
        return (then.Snapshot?.Index ?? 0) == start
            && found.Entries.Count <= then.Entries.Count
            && found.Entries.SequenceEqual(then.Entries.Take(found.Entries.Count));
    }

    void Write(NodeLog log, params LogWrite[] batch)
    {
        log.AppendAndSync(batch);
        foreach (var write in batch)
        {
            // Entry by entry: a record is what is lost.
            for (var n = 0; n <= write.Entries.Count; n++)
            {
                var copy = _model.Copy();
                copy.Apply(write with { Entries = [.. write.Entries.Take(n)] });
                if (!_history.TryGetValue(write.Group, out var states)) _history.Add(write.Group, states = []);
                states.Add(copy.Groups[write.Group]);
            }

            _model.Apply(write);
        }
    }

    static NodeLog Open(SimDisk disk) => NodeLog.Open(disk, StorageTestData.Directory, Segments);

    static int LastByte(byte[] segment) => segment.AsSpan().LastIndexOfAnyExcept((byte)0);

    /// <summary>The log with one file replaced (null: missing), and the second copy as it is.</summary>
    SimDisk DiskWith(string name, byte[]? content, ulong seed = 2)
    {
        var disk = new SimDisk(new Xoshiro256(seed));
        disk.CreateDirectory(StorageTestData.Directory);
        disk.CreateDirectory(VotesDirectory);
        disk.WriteFile(VotesFile, _disk.ReadFile(VotesFile));
        foreach (var (file, bytes) in _disk.Files())
        {
            if (file != name) disk.WriteFile(Path.Combine(StorageTestData.Directory, file), bytes);
            else if (content is not null) disk.WriteFile(Path.Combine(StorageTestData.Directory, file), content);
        }

        return disk;
    }
}
