namespace Proto.Cluster.Gossip;

/// <summary>Keys that the cluster itself gossips under.</summary>
public static class GossipKeys
{
    /// <summary>The <see cref="ClusterTopology"/> that the member sees.</summary>
    public const string Topology = "cluster:topology";

    /// <summary>The member's <see cref="MemberHeartbeat"/>.</summary>
    public const string Heartbeat = "cluster:heartbeat";

    /// <summary>The member leaves the cluster by its own will.</summary>
    public const string GracefullyLeft = "cluster:left";

    /// <summary>Whose heartbeat the member misses (<see cref="ExpiredHeartbeats"/>).</summary>
    public const string Expired = "cluster:expired";

    /// <summary>The membership that the seed-node provider spreads.</summary>
    public const string SeedMembers = "cluster:seed-members";
}
