using ActorCluster.Protocol.Membership;

namespace ActorCluster.Membership;

/// <summary>
/// The order of what is observed of one subject: (incarnation, counter, severity), as in SWIM (section 4.2). Merging two
/// is taking the greater, hence commutative, associative and idempotent. What the order's three fields leave equal is
/// ordered by observer, words and metadata, so that all nodes settle on the same one.
/// </summary>
public static class Observations
{
    /// <summary>Longest evidence kept, in characters.</summary>
    public const int MaxEvidence = 400;

    public static int Compare(Observation a, Observation b)
    {
        var order = a.Incarnation.CompareTo(b.Incarnation);
        if (order != 0) return order;
        order = a.Counter.CompareTo(b.Counter);
        if (order != 0) return order;
        order = a.Reachability.CompareTo(b.Reachability);
        if (order != 0) return order;
        order = a.Observer.CompareTo(b.Observer);
        if (order != 0) return order;
        order = string.CompareOrdinal(a.Evidence, b.Evidence);
        return order != 0 ? order : CompareNodes(a.Node, b.Node);
    }

    /// <summary>The greater of two observations of one subject.</summary>
    public static Observation Merge(Observation a, Observation b) => Compare(a, b) >= 0 ? a : b;

    static int CompareNodes(NodeInfo? a, NodeInfo? b)
    {
        if (a is null || b is null) return (a is null ? 0 : 1) - (b is null ? 0 : 1);
        return WireBytes.Of(a).AsSpan().SequenceCompareTo(WireBytes.Of(b));
    }
}
