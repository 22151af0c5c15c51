using ActorCluster.Protocol;
using ActorCluster.Protocol.Membership;
using ActorCluster.Raft;

namespace ActorCluster.Keyspace;

/// <summary>Settings of <see cref="PlacementPolicy"/>.</summary>
/// <param name="MaxChanges">Partitions whose replicas may be in change at a time: each change copies a partition over the network.</param>
public sealed record PlacementOptions(int MaxChanges = 4);

/// <summary>
/// Which nodes are to hold the replicas of each partition, as the members change: replicas of removed members are replaced, missing
/// ones added when nodes join, and what is left is evened out one replica at a time. A pure function of members and map: whoever
/// leads the coordinator next comes to the same plan.
/// </summary>
public sealed class PlacementPolicy(PlacementOptions? options = null)
{
    readonly PlacementOptions _options = options ?? new PlacementOptions();

    /// <summary>The successor of a map, or null when nothing is to change now.</summary>
    /// <param name="map">The map in force.</param>
    /// <param name="standing">Members that are not Removed, by uid: true when a new replica may be put there (Up and reachable).</param>
    public PartitionMap? Plan(PartitionMapView map, IReadOnlyDictionary<NodeUid, bool> standing)
    {
        var plan = new Draft(map, standing);
        var free = _options.MaxChanges - map.Partitions.Count(p => !p.IsSettled);
        foreach (var partition in map.Partitions)
        {
            // A change that waits for a node that is gone for good would wait for ever: it is replaced whatever else is under way.
            var isStuck = !partition.IsSettled && partition.Replicas.Any(r => !standing.ContainsKey(r));
            if (!isStuck && (!partition.IsSettled || free <= 0)) continue;
            if (plan.Repair(partition) && !isStuck) free--;
        }

        // Evening out moves data for comfort only: not while anything is missing or moving.
        if (!plan.HasChanges && map.Partitions.All(p => p.IsSettled)) plan.EvenOut();
        return plan.HasChanges ? plan.Map : null;
    }

    /// <summary>A map in the making, and how many replicas each node would have.</summary>
    sealed class Draft
    {
        readonly PartitionMapView _before;
        readonly IReadOnlyDictionary<NodeUid, bool> _standing;
        readonly SortedDictionary<NodeUid, int> _load = [];

        public Draft(PartitionMapView before, IReadOnlyDictionary<NodeUid, bool> standing)
        {
            _before = before;
            _standing = standing;
            foreach (var (node, _) in standing) _load[node] = 0;
            foreach (var replica in before.Partitions.SelectMany(p => p.Replicas).Where(_load.ContainsKey)) _load[replica]++;
            Map = before.Map.Clone();
            Map.Version++;
        }

        public PartitionMap Map { get; }

        public bool HasChanges { get; private set; }

        /// <summary>Replaces replicas of removed members and adds missing ones; false when there is nothing to do or nobody to take one.</summary>
        public bool Repair(PartitionView partition)
        {
            var replicas = partition.Replicas.Where(_standing.ContainsKey).ToList();
            while (replicas.Count < _before.ReplicationFactor && LeastLoaded(replicas) is { } node)
            {
                replicas.Add(node);
                _load[node]++;
            }

            if (replicas.Count == 0 || replicas.SequenceEqual(partition.Replicas)) return false;

            // With nobody to take its place a removed member stays on the list, unless the group then needs a vote less (two of three
            // replicas need both votes either way): the next node that joins takes over what is missing.
            if (replicas.Count < partition.Replicas.Count && QuorumMath.Majority(replicas.Count) >= QuorumMath.Majority(partition.Replicas.Count)) return false;
            Change(partition, replicas);
            return true;
        }

        /// <summary>Moves one replica from the fullest node to the emptiest, if that makes them more even.</summary>
        public void EvenOut()
        {
            foreach (var (from, load) in _load.Where(l => _standing[l.Key]).OrderByDescending(l => l.Value))
            {
                foreach (var partition in _before.Partitions.Where(p => p.HasReplica(from)))
                {
                    if (LeastLoaded(partition.Replicas) is not { } to || _load[to] + 2 > load) continue;
                    Change(partition, [.. partition.Replicas.Select(r => r == from ? to : r)]);
                    return;
                }
            }
        }

        NodeUid? LeastLoaded(IReadOnlyList<NodeUid> except)
        {
            NodeUid? best = null;
            foreach (var (node, mayTake) in _standing.OrderBy(s => s.Key))
            {
                if (mayTake && !except.Contains(node) && (best is null || _load[node] < _load[best.Value])) best = node;
            }

            return best;
        }

        void Change(PartitionView partition, List<NodeUid> replicas)
        {
            HasChanges = true;
            var changed = Map.Partitions.Single(p => p.Id == partition.Id);

            // Also those of a change that was begun and is given up: they may be voters already.
            var holders = partition.Holders.Concat(partition.Replicas).Distinct().Select(h => h.Value).ToList();
            changed.Holders.Clear();
            changed.Holders.AddRange(holders);
            changed.Replicas.Clear();
            changed.Replicas.AddRange(replicas.Select(r => r.Value));
            changed.ReplicasVersion++;
        }
    }
}
