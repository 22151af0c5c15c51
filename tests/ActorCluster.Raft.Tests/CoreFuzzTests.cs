using ActorCluster.Protocol;
using ActorCluster.Raft.Tests.Interaction;

namespace ActorCluster.Raft.Tests;

/// <summary>
/// Random schedules of few cores: messages late, twice, out of order or never, disks slow, crashes that lose what is not synced,
/// snapshots. After every step <see cref="World.CheckSafety"/>; in the end, healed, everybody agrees and everything acknowledged
/// is there. The whole-node simulation does more; this finds a broken core in a second, from a seed.
/// </summary>
public sealed class CoreFuzzTests
{
    const int Seeds = 40;

    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 0)]
    [InlineData(3, 0)]
    [InlineData(5, 0)]
    [InlineData(1, 2)]
    [InlineData(3, 1)]
    [InlineData(3, 3)]
    [InlineData(5, 2)]
    public void Safety_holds_under_random_schedules_and_healed_groups_agree(int voters, int joining)
    {
        var acknowledged = 0;
        for (ulong seed = 1; seed <= (ulong)Seeds; seed++)
        {
            try
            {
                acknowledged += new Run(voters, joining, seed).Go();
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                throw new InvalidOperationException($"voters={voters} joining={joining} seed={seed}: {e.Message}", e);
            }
        }

        Assert.True(acknowledged > Seeds * 5, $"only {acknowledged} commands were acknowledged: the runs test too little");
    }

    sealed class Run(int voters, int joining, ulong seed)
    {
        readonly int _steps = 1000 * Math.Max(3, voters + joining);
        readonly Xoshiro256 _random = new(seed * 7919 + (ulong)voters);
        readonly World _world = World.OfVoters(voters, c => c with { KeepTailEntries = 3, MaxInflightMessages = 4, MaxAppendBytes = 200, StalledWriteTicks = 40 }, seed);
        readonly Dictionary<(ulong Term, ulong Index), string> _proposed = [];
        readonly Dictionary<ulong, (ulong Uid, int AckedBefore)> _reads = [];
        readonly List<string> _acknowledged = [];
        ulong _nextRead = 1;
        int _nextCommand = 1;

        /// <returns>How many commands were acknowledged.</returns>
        public int Go()
        {
            for (var uid = voters + 1; uid <= voters + joining; uid++) _world.AddNode((ulong)uid);
            for (var i = 0; i < _steps; i++) Step();
            Settle();
            foreach (var replica in _world.Replicas.Values)
            {
                Assert.Equal(_world.Leader!.State, replica.State);
                Assert.All(_acknowledged, command => Assert.Contains(command, replica.State));
            }

            return _acknowledged.Count;
        }

        void Step()
        {
            var uid = (ulong)_random.Next(1, voters + joining + 1);
            var replica = _world[uid];
            if (!replica.Up)
            {
                if (_random.Chance(0.05)) replica.Restart();
                return;
            }

            switch (_random.Next(100))
            {
                case < 5: _world.Tick(uid); break;
                case < 48: DeliverOne(); break;
                case < 70: Ready(uid); break;
                case < 82: _world.CompleteWrite(uid); break;
                case < 88: Apply(uid); break;
                case < 92: Propose(uid); break;
                case < 94: Read(uid); break;
                case < 95: if (replica.WritesUnderWay == 0 && replica.AppliesWaiting == 0 && replica.Core.AppliedIndex >= replica.Core.FirstIndex) replica.TakeSnapshot(); break;
                case < 96 when _random.Chance(0.1): _world.Core(uid).TransferLeadership(default); break;
                case < 97 when _random.Chance(0.1): _world.Core(uid).LeaderLost(_world.Core(uid).Leader); break;
                case < 98 when joining > 0: ChangeMembers(uid); break;
                case 99 when _random.Chance(0.3): Fault(uid); break;
            }
        }

        void Fault(ulong uid)
        {
            switch (_random.Next(4))
            {
                case 0: _world[uid].Crash(); break;
                case 1: _world.Cut(uid); break;
                case 2: _world.Heal(); break;
                default: _world.Drop(m => m.To == uid); break;
            }
        }

        void DeliverOne()
        {
            if (_world.Network.Count == 0) return;
            var message = _world.Network[_random.Next(_world.Network.Count)];
            _world.Deliver(m => ReferenceEquals(m, message), keep: _random.Chance(0.1));
        }

        void Ready(ulong uid)
        {
            if (_world.Core(uid).HasReady) _world.TakeReady(uid);
        }

        void Apply(ulong uid)
        {
            var replica = _world[uid];
            foreach (var entry in replica.Apply())
            {
                if (_proposed.Remove((entry.Term, entry.Index), out var command))
                {
                    Assert.Equal(command, entry.Payload.ToStringUtf8());
                    _acknowledged.Add(command);
                }
            }

            // A confirmed read that has reached its index sees everything that was acknowledged before it began.
            foreach (var read in replica.Reads.Where(r => r.Rejected || r.Index <= replica.Core.AppliedIndex).ToList())
            {
                replica.Reads.Remove(read);
                var begun = _reads[read.ReadId];
                if (!read.Rejected) Assert.All(_acknowledged.Take(begun.AckedBefore), command => Assert.Contains(command, replica.State));
            }
        }

        void Propose(ulong uid)
        {
            var command = $"c{_nextCommand++}";
            var receipt = _world.Propose(uid, command);
            if (receipt.Accepted) _proposed[(receipt.Term, receipt.Index)] = command;
        }

        /// <summary>Some nodes become the voters, some of the others learners.</summary>
        void ChangeMembers(ulong uid)
        {
            if (_world.Core(uid).Role != RaftRole.Leader || !_random.Chance(0.3)) return;
            var shuffled = _world.Replicas.Keys.OrderBy(_ => _random.Next(int.MaxValue)).Select(u => new NodeUid(u)).ToList();
            var count = _random.Next(1, shuffled.Count + 1);
            var learners = shuffled.Skip(count).Where(_ => _random.Chance(0.3)).ToList();
            _world.Core(uid).ChangeMembers(shuffled.Take(count).ToList(), learners);
        }

        void Read(ulong uid)
        {
            _reads[_nextRead] = (uid, _acknowledged.Count);
            _world.Core(uid).ReadIndex(_nextRead++);
        }

        /// <summary>No more faults: within some election timeouts there is a leader that commits, and all catch up.</summary>
        void Settle()
        {
            _world.Heal();
            foreach (var replica in _world.Replicas.Values.Where(r => !r.Up)) replica.Restart();
            var everybody = _world.Replicas.Keys.Select(u => new NodeUid(u)).ToList();
            for (var round = 0; round < 400; round++)
            {
                if (joining > 0) _world.Leader?.Core.ChangeMembers(everybody, []);
                foreach (var replica in _world.Replicas.Values) _world.Tick(replica.Uid);
                _world.Stabilize();
                foreach (var replica in _world.Replicas.Values) Apply(replica.Uid);
            }

            Assert.NotNull(_world.Leader);
            Assert.Equal(everybody, _world.Leader!.Core.Voters);
            Assert.True(_world.Propose(_world.Leader!.Uid, "last").Accepted);
            for (var round = 0; round < 3; round++)
            {
                _world.Stabilize();
                foreach (var replica in _world.Replicas.Values) _world.Tick(replica.Uid);
            }

            _world.Stabilize();
            Assert.All(_world.Replicas.Values, r => Assert.Equal("last", r.State[^1]));
        }
    }
}
