using System.Globalization;
using ActorCluster.Protocol;
using ActorCluster.Protocol.Membership;
using ActorCluster.Raft;

namespace ActorCluster.Keyspace;

/// <summary>One partition of a <see cref="PartitionMapView"/>: a hash range and who replicates it.</summary>
/// <param name="Id">Number of the partition, from 0; part of names that people see.</param>
/// <param name="FirstHash">Inclusive; the range ends before the next partition's first hash.</param>
/// <param name="Group">The Raft group that replicates it.</param>
/// <param name="Generation">Rises with every split, merge and move: the highest part of an epoch.</param>
/// <param name="Replicas">Who is to hold a replica. The first is the preferred leader.</param>
/// <param name="Holders">Who may hold one beside them while a change of replicas is under way; empty otherwise.</param>
/// <param name="ReplicasVersion">Rises with every change of the replicas; 0: as the cluster was formed.</param>
public sealed record PartitionView(
    uint Id, ulong FirstHash, GroupId Group, uint Generation, IReadOnlyList<NodeUid> Replicas, IReadOnlyList<NodeUid> Holders, uint ReplicasVersion)
{
    /// <summary>Whether the group's voters are the replicas, as far as the coordinator knows.</summary>
    public bool IsSettled => Holders.Count == 0;

    /// <summary>The replica that should lead when all replicas are well; spreads the leaders over the nodes.</summary>
    public NodeUid PreferredLeader => Replicas[0];

    public bool HasReplica(NodeUid node)
    {
        foreach (var replica in Replicas)
            if (replica == node) return true;
        return false;
    }

    /// <summary>Whether a node may hold a replica: it is to have one, or its vote may still be needed.</summary>
    public bool MayHaveReplica(NodeUid node) => HasReplica(node) || Holders.Contains(node);
}

/// <summary>
/// A valid partition map, ready for look-ups (architecture, section 7). Immutable: a newer map is another view.
/// Invariant: ranges cover the whole hash space without overlap; ids and groups are unique.
/// </summary>
public sealed class PartitionMapView
{
    /// <summary>Most partitions a map can have: bounds what every node caches and gossips.</summary>
    public const int MaxPartitions = 16_384;

    /// <summary>Most replicas of one partition.</summary>
    public const int MaxReplicas = 15;

    readonly ulong[] _firstHashes;
    readonly PartitionView[] _partitions;
    readonly Dictionary<uint, PartitionView> _byId;
    readonly Dictionary<GroupId, PartitionView> _byGroup;

    PartitionMapView(PartitionMap map)
    {
        Map = map.Clone();
        _partitions = new PartitionView[map.Partitions.Count];
        _firstHashes = new ulong[_partitions.Length];
        _byId = new Dictionary<uint, PartitionView>(_partitions.Length);
        _byGroup = new Dictionary<GroupId, PartitionView>(_partitions.Length);
        for (var i = 0; i < _partitions.Length; i++)
        {
            var p = map.Partitions[i];
            var view = new PartitionView(p.Id, p.FirstHash, new GroupId(p.Group), p.Generation, [.. Uids(p.Replicas)], [.. Uids(p.Holders)], p.ReplicasVersion);
            _partitions[i] = view;
            _firstHashes[i] = view.FirstHash;
            _byId.Add(view.Id, view);
            _byGroup.Add(view.Group, view);
        }
    }

    /// <summary>The message this view was made from. Not to be changed.</summary>
    public PartitionMap Map { get; }

    /// <summary>Rises by one with every committed change.</summary>
    public ulong Version => Map.Version;

    public int ReplicationFactor => (int)Map.ReplicationFactor;

    /// <summary>Ordered by first hash.</summary>
    public IReadOnlyList<PartitionView> Partitions => _partitions;

    /// <summary>The partition that holds a hash.</summary>
    public PartitionView Find(ulong hash)
    {
        var index = Array.BinarySearch(_firstHashes, hash);
        return _partitions[index >= 0 ? index : ~index - 1];
    }

    /// <summary>The partition of a key or of a grain's identity (the kind does not enter).</summary>
    public PartitionView Find(string identity) => Find(StableHash.Of(identity));

    public PartitionView? ById(uint id) => _byId.GetValueOrDefault(id);

    public PartitionView? ByGroup(GroupId group) => _byGroup.GetValueOrDefault(group);

    /// <summary>
    /// The first map of a cluster: equal hash ranges, replicas round-robin over the members in the order given, so that
    /// replicas and preferred leaders differ by at most one per node (exactly even when the counts divide).
    /// </summary>
    /// <param name="partitions">How many, 1 to <see cref="MaxPartitions"/>.</param>
    /// <param name="replicationFactor">How many replicas each gets; fewer when there are fewer members.</param>
    /// <param name="members">The members that hold replicas; all distinct.</param>
    /// <exception cref="ArgumentException">Names the argument and its limit.</exception>
    public static PartitionMap BuildFirst(int partitions, int replicationFactor, IReadOnlyList<NodeUid> members)
    {
        if (partitions is < 1 or > MaxPartitions)
            throw new ArgumentOutOfRangeException(nameof(partitions), partitions, $"partitions must be 1 to {MaxPartitions}");
        if (replicationFactor < 1)
            throw new ArgumentOutOfRangeException(nameof(replicationFactor), replicationFactor, "replication factor must be at least 1");
        if (members.Count == 0) throw new ArgumentException("a partition map needs at least one member", nameof(members));

        var replicas = Math.Min(replicationFactor, members.Count);
        var map = new PartitionMap { Version = 1, ReplicationFactor = (uint)replicationFactor };
        for (var i = 0; i < partitions; i++)
        {
            var partition = new Partition
            {
                Id = (uint)i,
                FirstHash = (ulong)(((UInt128)(uint)i << 64) / (uint)partitions),
                Group = GroupId.FirstPartition + (ulong)i,
                Generation = 1,
            };
            for (var k = 0; k < replicas; k++) partition.Replicas.Add(members[(i + k) % members.Count].Value);
            map.Partitions.Add(partition);
        }

        Invariant.Check(Validate(map) is null, "the first partition map is valid");
        return map;
    }

    /// <summary>A view of a valid map.</summary>
    /// <exception cref="System.IO.InvalidDataException">The map is not valid; the message says where.</exception>
    public static PartitionMapView Of(PartitionMap map)
    {
        if (Validate(map) is { } error) throw new InvalidDataException($"partition map version {map.Version}: {error}");
        return new PartitionMapView(map);
    }

    static IEnumerable<NodeUid> Uids(IEnumerable<ulong> values) => values.Select(v => new NodeUid(v));

    /// <summary>What is wrong with a map, or null.</summary>
    public static string? Validate(PartitionMap map)
    {
        if (map.Version == 0) return "version is 0";
        if (map.ReplicationFactor == 0) return "replication factor is 0";
        if (map.Partitions.Count is 0 or > MaxPartitions) return $"it has {map.Partitions.Count} partitions; allowed are 1 to {MaxPartitions}";
        if (map.Partitions[0].FirstHash != 0) return "its first range does not begin at hash 0";

        var ids = new HashSet<uint>();
        var groups = new HashSet<ulong>();
        for (var i = 0; i < map.Partitions.Count; i++)
        {
            var p = map.Partitions[i];
            if (i > 0 && p.FirstHash <= map.Partitions[i - 1].FirstHash) return Error(p, "range does not begin after the one before it");
            if (!ids.Add(p.Id)) return Error(p, "id is used twice");
            if (p.Group < GroupId.FirstPartition) return Error(p, $"group {p.Group} is below {GroupId.FirstPartition}");
            if (!groups.Add(p.Group)) return Error(p, $"group {p.Group} is used twice");
            if (p.Generation == 0) return Error(p, "generation is 0");
            if (p.Replicas.Count == 0) return Error(p, "has no replicas");
            if (p.Replicas.Contains(NodeUid.None.Value)) return Error(p, "names node 0");
            if (p.Replicas.Distinct().Count() != p.Replicas.Count) return Error(p, "names a node twice");
            if (p.Replicas.Count > MaxReplicas) return Error(p, $"has {p.Replicas.Count} replicas; allowed are {MaxReplicas}");
            if (p.Holders.Count > 0 && p.ReplicasVersion == 0) return Error(p, "has holders without a change of its replicas");
        }

        return null;

        static string Error(Partition p, string what) => string.Create(CultureInfo.InvariantCulture, $"partition {p.Id}: {what}");
    }
}
