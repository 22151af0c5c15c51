using ActorCluster.Protocol;
using ActorCluster.Protocol.Raft;
using ActorCluster.Raft.Storage;
using ActorCluster.Simulation.Disk;
using Google.Protobuf;
using static ActorCluster.Raft.Tests.Storage.StorageTestData;

namespace ActorCluster.Raft.Tests.Storage;

/// <summary>
/// Random writes, syncs, restarts, kills and power losses on a simulated disk, compared with the model after every
/// restart: what comes back is the state after some whole batch, and never one before the last sync.
/// </summary>
public class NodeLogModelTests
{
    const int Steps = 150;

    [Theory]
    [InlineData(0, 60)]
    [InlineData(100, 60)]
    [InlineData(200, 60)]
    public void A1_A5_A6_A10_Recovered_equals_the_model_after_any_sequence(int firstSeed, int seeds)
    {
        var coverage = new Coverage();
        for (var seed = firstSeed; seed < firstSeed + seeds; seed++) new Run((ulong)seed, coverage).Go();

        // The generator must really have been where it hurts.
        Assert.True(coverage.Overwrites > 100, $"{coverage}");
        Assert.True(coverage.Replaced > 20, $"{coverage}");
        Assert.True(coverage.CrashesInTheMiddle > 50, $"{coverage}");
        Assert.True(coverage.LostBatches > 20, $"{coverage}");
        Assert.True(coverage.TornWrites > 20, $"{coverage}");
        Assert.True(coverage.Rotations > 100, $"{coverage}");
        Assert.True(coverage.Releases > 50, $"{coverage}");
    }

    sealed record Coverage
    {
        public int Overwrites { get; set; }
        public int Replaced { get; set; }
        public int CrashesInTheMiddle { get; set; }
        public int LostBatches { get; set; }
        public long TornWrites { get; set; }
        public int Rotations { get; set; }
        public int Releases { get; set; }
    }

    sealed class Run(ulong seed, Coverage coverage)
    {
        readonly Xoshiro256 _random = new(seed);
        readonly SimDisk _disk = new(new Xoshiro256(seed ^ 0x5eed));

        /// <summary>The states that a crash may bring back: the last synced, and one per batch since.</summary>
        List<ModelLog> _possible = [new ModelLog()];

        NodeLog? _log;
        ulong _nextGroup = 1000;
        string _lastSegment = "";
        string _firstSegment = "";

        ModelLog Current => _possible[^1];

        public void Go()
        {
            Reopen();
            for (var step = 0; step < Steps; step++)
            {
                if (_random.Chance(0.03)) _disk.CrashAfterOperations = _random.Next(12);
                try
                {
                    Step();
                }
                catch (SimulatedCrashException)
                {
                    coverage.CrashesInTheMiddle++;
                    Crash();
                }
                WatchSegments();
            }
            coverage.TornWrites += _disk.TornWrites;
            _log?.Dispose();
        }

        void Step()
        {
            switch (_random.Next(20))
            {
                case < 13:
                    AppendBatch();
                    break;
                case < 16:
                    _log!.Sync();
                    _possible = [Current];
                    break;
                case 16:
                    Crash();
                    break;
                case 17:
                    // kill -9: the kernel lives on, so everything written is seen again, and must be made durable by opening.
                    _log!.Dispose();
                    _disk.Kill();
                    Reopen(killed: true);
                    break;
                case 18:
                    _log!.Seal();
                    _possible = [Current];
                    _log.Dispose();
                    Reopen();
                    break;
                default:
                    _log!.Sync();
                    _possible = [Current];
                    _log.Dispose();
                    Reopen();
                    break;
            }
        }

        void AppendBatch()
        {
            var after = Current.Copy();
            var batch = new List<LogWrite>();
            for (var i = _random.Next(1, 5); i > 0; i--)
            {
                var write = NextWrite(after);
                after.Apply(write);
                batch.Add(write);
            }
            // Noted before it is tried: a crash in the middle may or may not bring it back.
            _possible.Add(after);
            _log!.Append(batch);
        }

        LogWrite NextWrite(ModelLog model)
        {
            if (model.Groups.Count == 0 || (model.Groups.Count < 4 && _random.Chance(0.1)))
                return Create(new GroupId(_nextGroup++), _random.Chance(0.5) ? Entries(1, 3, 1) : []);

            var group = model.Groups.Values.ElementAt(_random.Next(model.Groups.Count));
            var start = group.Snapshot?.Index ?? 0;
            var last = start + (ulong)group.Entries.Count;
            var term = Math.Max(group.HardState.Term, Math.Max(group.Snapshot?.Term ?? 0, group.Entries.Count > 0 ? group.Entries[^1].Term : 0));
            switch (_random.Next(24))
            {
                case 0:
                    return new LogWrite(group.Group, HardState: null, [], Delete: true);
                case < 4:
                    return Vote(group.Group, term + (ulong)_random.Next(1, 3), (ulong)_random.Next(4), commit: last);
                case < 7 when last > start:
                    var index = start + 1 + (ulong)_random.Next((int)(last - start));
                    return Compact(group.Group, index, group.Entries[(int)(index - start - 1)].Term);
                case 7:
                    // From a leader: beyond the log, or in it with another term.
                    coverage.Replaced++;
                    return Compact(group.Group, start + 1 + (ulong)_random.Next(12), term + 1) with { HardState = new HardState(term + 1, NodeUid.None, 0) };
                case < 11 when last > start:
                    coverage.Overwrites++;
                    var from = start + 1 + (ulong)_random.Next((int)(last - start));
                    return new LogWrite(group.Group, new HardState(term + 1, NodeUid.None, 0), RandomEntries(from, term + 1));
                default:
                    return Append(group.Group, RandomEntries(last + 1, Math.Max(1, term)));
            }
        }

        Entry[] RandomEntries(ulong first, ulong term)
        {
            var entries = new Entry[_random.Next(1, 5)];
            for (var i = 0; i < entries.Length; i++)
            {
                var payload = new byte[_random.Chance(0.02) ? 9000 : _random.Next(300)];
                for (var b = 0; b < payload.Length; b++) payload[b] = (byte)_random.NextUInt64();
                entries[i] = new Entry { Index = first + (ulong)i, Term = term, Kind = (EntryKind)_random.Next(3), Payload = ByteString.CopyFrom(payload) };
            }
            return entries;
        }

        void Crash()
        {
            _log?.Dispose();
            _disk.Crash();
            Reopen();
        }

        void Reopen(bool killed = false)
        {
            _log = null;
            var attempt = 0;
            for (; ; attempt++)
            {
                // A crash while opening, now and then: cutting the tail must be safe to repeat.
                if (attempt == 0 && _random.Chance(0.2)) _disk.CrashAfterOperations = _random.Next(6);
                try
                {
                    _log = NodeLog.Open(_disk, StorageTestData.Directory, SmallSegments);
                    break;
                }
                catch (SimulatedCrashException)
                {
                    coverage.CrashesInTheMiddle++;
                    _disk.Crash();
                }
            }
            _disk.CrashAfterOperations = null;

            var text = Text(_log.Recovered);
            var found = _possible.FindLastIndex(m => m.Text == text);
            Assert.True(found >= 0, $"seed {seed}: recovered\n{text}\nbut the last synced state was\n{_possible[0].Text}\nand then {_possible.Count - 1} batches came");
            Assert.True(!killed || attempt > 0 || found == _possible.Count - 1, $"seed {seed}: kill -9 lost what was written");
            if (found < _possible.Count - 1) coverage.LostBatches++;
            _possible = [_possible[found]];
        }

        void WatchSegments()
        {
            var names = _disk.Segments();
            if (_lastSegment != names[^1]) coverage.Rotations++;
            if (_firstSegment != names[0]) coverage.Releases++;
            (_firstSegment, _lastSegment) = (names[0], names[^1]);
        }
    }
}
