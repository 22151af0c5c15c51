using ActorCluster.Keyspace;
using ActorCluster.Keyspace.Actors;

namespace ActorCluster.Admin;

/// <summary>Who leads a partition, from what a node knows: its own replica first, then what it heard.</summary>
static class LeaderKnowledge
{
    public static KnownLeader Of(KeyspaceState state, PartitionView partition)
    {
        if (state.Replica(partition.Group) is { } replica)
        {
            var status = replica.Group.Status;
            return new KnownLeader(status.Leader, status.Term);
        }

        // The KV grain's id names the leader's term: kv/{partition}@{generation}.{term}.1
        if (state.Route(partition).Remote is not { } grain || state.Members.FindByAddress(grain.Address) is not { } member) return default;
        var term = grain.Id.Split('.') is [_, var text, ..] && ulong.TryParse(text, out var parsed) ? parsed : 0;
        return new KnownLeader(member.Uid, term);
    }
}
