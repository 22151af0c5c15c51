using Proto.Utils;

namespace Proto.Cluster;

/// <summary>When a virtual actor moves to the member that uses it.</summary>
public sealed record LocalAffinityOptions
{
    /// <summary>The most activations of the kind that one member lets go in a period; null: no limit.</summary>
    public ThrottleOptions? RelocationThroughput { get; init; }

    /// <summary>Which messages make an activation move to their sender; null: all requests.</summary>
    public Predicate<MessageEnvelope>? TriggersLocalAffinity { get; init; }
}
