using ActorCluster.Keyspace;
using ActorCluster.Membership;
using ActorCluster.Protocol;
using ActorCluster.Raft.Actors;

namespace ActorCluster.Admin;

/// <summary>What a node knows at one moment, gathered from its parts so that an answer is of one piece.</summary>
/// <param name="NodeName">The node that answers.</param>
/// <param name="Formed">Whether the node belongs to a cluster.</param>
/// <param name="WaitingFor">While forming: who is missing, for people.</param>
/// <param name="Membership">The member table.</param>
/// <param name="Map">The partition map, once there is one.</param>
/// <param name="Groups">The replicas on this node.</param>
/// <param name="LeaderOf">The leader of a partition as known here, None when it is not; and the term of that knowledge.</param>
public sealed record ClusterPicture(
    string NodeName,
    bool Formed,
    IReadOnlyList<string> WaitingFor,
    MembershipSnapshot Membership,
    PartitionMapView? Map,
    IReadOnlyList<GroupStatus> Groups,
    Func<PartitionView, KnownLeader> LeaderOf);

/// <summary>A partition's leader as far as a node knows. None: no leader known.</summary>
public readonly record struct KnownLeader(NodeUid Uid, ulong Term);
