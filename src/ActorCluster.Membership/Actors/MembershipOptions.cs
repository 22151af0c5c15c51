namespace ActorCluster.Membership.Actors;

/// <summary>What a node is and wants, as far as membership is concerned.</summary>
public sealed record MembershipOptions
{
    /// <summary>Name of the node, unique in the cluster.</summary>
    public required string Name { get; init; }

    /// <summary>host:port of its HTTP endpoint; empty when it has none.</summary>
    public string HttpAddress { get; init; } = "";

    public string Version { get; init; } = "";

    /// <summary>Addresses (host:port) of nodes to look for; the node's own may be among them.</summary>
    public IReadOnlyList<string> Seeds { get; init; } = [];

    /// <summary>How many blank nodes form the first cluster. Means nothing once there is one.</summary>
    public int Expect { get; init; } = 1;

    /// <summary>Partitions of a new cluster.</summary>
    public int Partitions { get; init; } = 16;

    /// <summary>Replicas of each partition of a new cluster.</summary>
    public int ReplicationFactor { get; init; } = 3;

    public GossipOptions Gossip { get; init; } = new();

    public DetectorOptions Detector { get; init; } = new();

    public CoordinatorPolicyOptions Policy { get; init; } = new();

    public FormingTiming Forming { get; init; } = new();
}
