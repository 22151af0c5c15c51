using System.Collections.Concurrent;
using ActorCluster.Membership;
using ActorCluster.Protocol;
using ActorCluster.Protocol.Membership;
using ActorCluster.Raft;
using Proto;

namespace ActorCluster.Keyspace.Actors;

/// <summary>Where a partition's leader is, as far as this node knows.</summary>
/// <param name="Local">This node's replica, when it leads.</param>
/// <param name="Remote">The KV grain of the leader's node, otherwise.</param>
public readonly record struct LeaderRoute(PartitionReplica? Local, PID? Remote)
{
    public bool IsKnown => Local is not null || Remote is not null;
}

/// <summary>
/// What this node knows of the key space: the partition map, the members, its own replicas, and leaders that it heard of.
/// Written by <see cref="PartitionHost"/>, read by everybody without waiting. A cache, not a truth: whoever is asked in
/// vain says so, and the asker looks again.
/// </summary>
public sealed class KeyspaceState(NodeUid self)
{
    readonly ConcurrentDictionary<GroupId, PartitionReplica> _replicas = new();
    readonly ConcurrentDictionary<uint, PID> _hints = new();
    readonly ConcurrentDictionary<uint, PartitionLeadership> _led = new();
    volatile MembershipSnapshot _members = MembershipSnapshot.Empty(self);
    volatile PartitionMapView? _map;

    public NodeUid Self => self;

    public MembershipSnapshot Members => _members;

    /// <summary>The newest partition map known here; null before this node belongs to a cluster.</summary>
    public PartitionMapView? Map => _map;

    /// <summary>The id of a partition's KV grain: the leader's term is its epoch, so whoever knows the term knows the PID.</summary>
    public static string KvGrainId(PartitionView partition, ulong term) => $"kv/{partition.Id}@{partition.Generation}.{term}.1";

    public PartitionReplica? Replica(GroupId group) => _replicas.GetValueOrDefault(group);

    /// <summary>Where to send a request of a partition now.</summary>
    public LeaderRoute Route(PartitionView partition)
    {
        if (Replica(partition.Group) is { } replica)
        {
            var status = replica.Group.Status;
            if (status.Role == RaftRole.Leader) return new LeaderRoute(replica, null);
            if (!status.Leader.IsNone && status.Leader != self && AddressOf(status.Leader) is { } address)
                return new LeaderRoute(null, PID.FromAddress(address, KvGrainId(partition, status.Term)));

            // One that is not to have a replica any more hears no leader: it knows what any other node knows.
            if (partition.HasReplica(self)) return default;
        }

        return _hints.TryGetValue(partition.Id, out var hint) ? new LeaderRoute(null, hint) : default;
    }

    /// <summary>The cluster address of a node that requests may be sent to, or null.</summary>
    public string? AddressOf(NodeUid node) =>
        _members.Find(node) is { State: MemberState.Up or MemberState.Leaving or MemberState.Joining, Address.Length: > 0 } member ? member.Address : null;

    /// <summary>A leader was heard of.</summary>
    public void Learn(uint partition, PID kvGrain) => _hints[partition] = kvGrain;

    /// <summary>The leader that was heard of did not answer as one.</summary>
    public void Forget(uint partition, PID kvGrain) => _hints.TryRemove(new KeyValuePair<uint, PID>(partition, kvGrain));

    /// <summary>Takes a membership in. A partition map that is not newer changes nothing.</summary>
    /// <returns>Whether the partition map changed.</returns>
    internal bool Update(MembershipSnapshot members)
    {
        _members = members;
        if (members.Partitions is not { } map || (_map is { } current && map.Version <= current.Version)) return false;
        _map = PartitionMapView.Of(map);
        return true;
    }

    /// <summary>The partitions that this node leads and may activate in, ordered by id.</summary>
    public IEnumerable<PartitionLeadership> Led => _led.Values.OrderBy(l => l.Partition.Id);

    internal void Set(PartitionLeadership leadership)
    {
        if (leadership.Leads) _led[leadership.Partition.Id] = leadership;
        else _led.TryRemove(leadership.Partition.Id, out _);
    }

    internal void Remove(GroupId group) => _replicas.TryRemove(group, out _);

    internal void Add(PartitionReplica replica) => _replicas[replica.Partition.Group] = replica;

    /// <summary>This node's replicas, in the order of the map.</summary>
    public IEnumerable<PartitionReplica> Replicas => _map is { } map
        ? map.Partitions.Select(p => Replica(p.Group)).OfType<PartitionReplica>()
        : [];
}
