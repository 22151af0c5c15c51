using ActorCluster.Protocol;
using ActorCluster.Raft;

namespace ActorCluster.Simulation.Groups;

/// <summary>Makes things go wrong at drawn moments until the run heals. What it breaks it also mends after a while.</summary>
sealed class Nemesis(GroupSimulation simulation)
{
    readonly Xoshiro256 _random = simulation.World.RandomFor("nemesis");
    readonly HashSet<SimNode> _strikeAtCommit = [];
    bool _healed;
    int _strikes;

    public void Begin()
    {
        if (simulation.Options.Moves.Count > 0) simulation.World.After(_random.Next(simulation.Options.NemesisMicros * 2), Move);
    }

    /// <summary>Everything works from now on.</summary>
    public void Heal()
    {
        _healed = true;
        simulation.Network.Mend();
        simulation.Network.Faults = NetworkFaults.None;
        foreach (var node in simulation.Nodes)
        {
            node.Disk.CrashAfterOperations = null;
            node.Disk.FailSyncAfter = null;
            node.Disk.IsFull = false;
            node.Resume();
            node.Start();
            // Liveness is promised only where a vote can be made durable well within an election timeout (paper, section 5.6).
            node.DiskMicros = Math.Min(simulation.Options.DiskMicros, node.TickMicros);
        }

        MakeEverybodyVoter();
    }

    /// <summary>In the end every node is a voter of every group, however the members stood: asked for until it is so, as an operator would.</summary>
    void MakeEverybodyVoter()
    {
        var everybody = simulation.Nodes.Select(n => n.Uid).ToList();
        var done = true;
        foreach (var replica in simulation.Nodes.SelectMany(n => n.Replicas))
        {
            if (replica.Core.Role == RaftRole.Leader) replica.Core.ChangeMembers(everybody, []);
            done &= replica.Core.Voters.Count == everybody.Count && replica.Core.Config.OutgoingVoters.Count == 0;
            replica.Pump();
        }

        if (!done) simulation.World.After(200_000, MakeEverybodyVoter);
    }

    /// <summary>Some nodes are to be the voters of a group, some of the others its learners. Whoever leads it is asked; perhaps two are.</summary>
    void ChangeMembers(GroupId group)
    {
        var shuffled = simulation.Nodes.OrderBy(_ => _random.Next(int.MaxValue)).Select(n => n.Uid).ToList();
        var voters = shuffled.Take(_random.Next(1, shuffled.Count + 1)).ToList();
        var learners = shuffled.Skip(voters.Count).Where(_ => _random.Chance(0.3)).ToList();
        foreach (var node in simulation.Nodes)
        {
            node.OfEachReplica(r =>
            {
                if (r.Group != group || r.Core.ChangeMembers(voters, learners) != MembershipChange.UnderWay) return;
                simulation.Trace("members change begun voters learners", node, group, (ulong)voters.Count, (ulong)learners.Count);
            });
        }
    }

    /// <summary>A node has become leader of a group: it falls before anybody can hear it, soon, or at its first commit.</summary>
    public void LeaderElected(SimNode node)
    {
        if (_healed || _strikes == 0) return;
        _strikes--;
        var options = simulation.Options;
        switch (_random.Next(3))
        {
            case 0:
                Strike(node, options.Network.MinDelayMicros);
                break;
            case 1:
                Strike(node, (options.Network.MaxDelayMicros * 4) + (options.DiskMicros * 2));
                break;
            default:
                _strikeAtCommit.Add(node);
                break;
        }
    }

    /// <summary>A leader has committed something: it may fall before it can tell.</summary>
    public void LeaderCommitted(SimNode node)
    {
        if (!_healed && _strikeAtCommit.Remove(node)) Strike(node, simulation.Options.Network.MinDelayMicros);
    }

    void Strike(SimNode node, int withinMicros)
    {
        var life = node.Life;
        simulation.World.After(_random.Next(withinMicros), () =>
        {
            if (_healed || node.Life != life) return;
            simulation.Coverage.Count("new leader struck");
            if (_random.Chance(0.3))
            {
                Fell(node, powerLoss: true);
                return;
            }

            simulation.Network.Partition([node.Index], simulation.Nodes.Count);
            // One follower may still hear it: then its entries are on two logs, and perhaps on a minority only.
            if (_random.Chance(0.3)) simulation.Network.Join(node.Index, _random.Next(simulation.Nodes.Count));
            Later(simulation.Options.TickMicros * 60, simulation.Network.Mend);
        });
    }

    void Move()
    {
        if (_healed) return;
        var move = simulation.Options.Moves[_random.Next(simulation.Options.Moves.Count)];
        var node = simulation.Nodes[_random.Next(simulation.Nodes.Count)];
        simulation.Coverage.Count($"nemesis: {move}");
        simulation.Trace($"nemesis {move}", node, default);
        Do(move, node);
        simulation.World.After(_random.Next(simulation.Options.NemesisMicros * 2), Move);
    }

    void Do(NemesisMove move, SimNode node)
    {
        switch (move)
        {
            case NemesisMove.PowerLoss:
            case NemesisMove.Kill:
                if (node.IsUp) Fell(node, powerLoss: move == NemesisMove.PowerLoss);
                break;
            case NemesisMove.PowerLossOfAll:
                foreach (var each in simulation.Nodes.Where(n => n.IsUp)) Fell(each, powerLoss: true);
                break;
            case NemesisMove.PowerLossInDiskOperation:
                if (node.IsUp) node.Disk.CrashAfterOperations = _random.Next(12);
                break;
            case NemesisMove.SyncError:
                if (node.IsUp) node.Disk.FailSyncAfter = _random.Next(4);
                break;
            case NemesisMove.Pause:
                node.Pause();
                Later(5_000_000, node.Resume);
                break;
            case NemesisMove.Partition:
                simulation.Network.Partition([.. simulation.Nodes.Select(n => n.Index).Where(_ => _random.Chance(0.5))], simulation.Nodes.Count);
                Later(5_000_000, simulation.Network.Mend);
                break;
            case NemesisMove.IsolateLeader:
                var leaders = simulation.Nodes.Where(n => n.Replicas.Any(r => r.Core.Role == RaftRole.Leader)).ToList();
                if (leaders.Count == 0) break;
                simulation.Network.Partition([leaders[_random.Next(leaders.Count)].Index], simulation.Nodes.Count);
                Later(5_000_000, simulation.Network.Mend);
                break;
            case NemesisMove.OneWayCut:
                simulation.Network.Cut(node.Index, _random.Next(simulation.Nodes.Count));
                Later(5_000_000, simulation.Network.Mend);
                break;
            case NemesisMove.SlowLink:
                simulation.Network.Slow(node.Index, _random.Next(simulation.Nodes.Count), _random.Next(1_000_000));
                Later(5_000_000, simulation.Network.Mend);
                break;
            case NemesisMove.DiskStall:
                node.DiskMicros = 6_000_000;
                Later(4_000_000, () => node.DiskMicros = simulation.Options.DiskMicros);
                break;
            case NemesisMove.DamageDisk:
                node = simulation.Nodes[_random.Next((simulation.Nodes.Count - 1) / 2)];
                if (node.IsUp) FellDamaged(node);
                break;
            case NemesisMove.DiskFull:
                node.Disk.IsFull = true;
                Later(5_000_000, () => node.Disk.IsFull = false);
                break;
            case NemesisMove.TransferLeadership:
                node.OfEachReplica(r => r.Core.TransferLeadership(NodeUid.None));
                break;
            case NemesisMove.ChangeMembers:
                ChangeMembers(simulation.Groups[_random.Next(simulation.Groups.Count)]);
                break;
            case NemesisMove.ConnectionHint:
                node.OfEachReplica(r => r.Core.LeaderLost(r.Core.Leader));
                break;
            case NemesisMove.StrikeNewLeader:
                _strikes = _random.Next(3, 12);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(move), move, "not a move");
        }
    }

    void FellDamaged(SimNode node)
    {
        var damage = node.DrawDamage();
        Fell(node, powerLoss: true);
        damage();
    }

    void Fell(SimNode node, bool powerLoss)
    {
        node.Stop(powerLoss);
        // The others may notice at once that nobody listens there any more.
        if (_random.Chance(0.5))
        {
            foreach (var other in simulation.Nodes.Where(n => n.IsUp)) other.OfEachReplica(r => r.Core.LeaderLost(node.Uid));
        }

        Later(4_000_000, () =>
        {
            // Dying again in the middle of recovery.
            if (!node.IsUp && simulation.Options.Moves.Contains(NemesisMove.PowerLossInDiskOperation) && _random.Chance(0.3))
                node.Disk.CrashAfterOperations = _random.Next(8);
            node.Start();
        });
    }

    void Later(int maxMicros, Action mend) => simulation.World.After(_random.Next(maxMicros / 20, maxMicros), () =>
    {
        if (!_healed) mend();
    });
}
