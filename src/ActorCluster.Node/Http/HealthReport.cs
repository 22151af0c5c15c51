using ActorCluster.Protocol;
using ActorCluster.Protocol.Admin;
using ActorCluster.Protocol.Membership;

namespace ActorCluster.Node.Http;

/// <summary>
/// Whether this node can serve: it is Up and every partition that it can see has a leader. When not, the reasons: while
/// the cluster forms they name who is missing.
/// </summary>
public sealed record HealthReport(string Node, string State, bool Formed, IReadOnlyList<string> WaitingFor, IReadOnlyList<string> Reasons)
{
    public bool IsHealthy => Reasons.Count == 0;

    public static HealthReport From(string self, Members members, Partitions? partitions)
    {
        var reasons = new List<string>();
        var me = members.Members_.FirstOrDefault(m => m.Name == self);
        var state = me?.State ?? MemberState.Joining;
        if (!members.Formed)
        {
            reasons.Add(members.WaitingFor.Count == 0
                ? "the cluster is forming"
                : "the cluster is forming: waiting for " + string.Join(", ", members.WaitingFor));
        }
        else if (me is null)
        {
            reasons.Add($"{self} is not a member yet: a coordinator with a majority must admit it");
        }
        else if (state != MemberState.Up)
        {
            reasons.Add($"{self} is {state}: {(me.Evidence.Length > 0 ? me.Evidence : "no reason is known")}");
        }

        if (members.Formed && partitions is { Partitions_.Count: 0 }) reasons.Add("the partition map has not arrived yet");
        foreach (var partition in partitions?.Partitions_ ?? [])
        {
            if (new NodeUid(partition.Leader).IsNone)
                reasons.Add($"partition {partition.Partition?.Id ?? 0} has no leader (replicas: {string.Join(", ", partition.ReplicaNames)})");
        }

        return new HealthReport(self, state.ToString(), members.Formed, [.. members.WaitingFor], reasons);
    }
}
