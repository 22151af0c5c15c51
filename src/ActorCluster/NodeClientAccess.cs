using ActorCluster.Grains.Actors;
using ActorCluster.Keyspace.Actors;
using ActorCluster.Membership.Actors;
using ActorCluster.Protocol.Grains;
using ActorCluster.Protocol.Membership;
using ActorCluster.Raft.Actors;
using Proto.Remote;

namespace ActorCluster;

/// <summary>What clients reach on a node: what <see cref="ClientAccess.Default"/> gives them, without the actors by which nodes work together.</summary>
static class NodeClientAccess
{
    /// <summary>For nodes only, with the one question that clients may ask, if there is one.</summary>
    static readonly (string Id, string? ClientsQuestion)[] ForNodes =
    [
        (MembershipService.ActorName, GetTopology.Descriptor.FullName),
        (MembershipService.ProbeName, null),
        (PartitionHost.ActorName, null),
        (PlacementActor.ActorName, null),
        (GrainHost.ActorName, Locate.Descriptor.FullName),
        (Admin.LeaderScout.Name, null),
    ];

    public static bool Allows(ClientMessage message)
    {
        if (!ClientAccess.Default(message)) return false;
        // Grains may have any kind: what tells them apart is the epoch at the end.
        if (message.TargetId.StartsWith(RaftHost.ActorPrefix, StringComparison.Ordinal)) return message.TargetId.Contains('@', StringComparison.Ordinal);

        foreach (var (id, question) in ForNodes)
        {
            if (string.Equals(id, message.TargetId, StringComparison.Ordinal)) return string.Equals(question, message.TypeName, StringComparison.Ordinal);
        }

        return true;
    }
}
