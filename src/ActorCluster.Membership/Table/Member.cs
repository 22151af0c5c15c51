using ActorCluster.Protocol;
using ActorCluster.Protocol.Membership;

namespace ActorCluster.Membership;

/// <summary>
/// A member as a reader sees it: computed from its committed record and from what is observed of it. Immutable; the
/// messages inside are not to be changed.
/// </summary>
/// <param name="Uid">The node's data directory.</param>
/// <param name="Node">Its own words, of its newest incarnation known here.</param>
/// <param name="State">Joining, Up, Leaving, Unreachable or Removed.</param>
/// <param name="CommittedState">The same without observations: what the coordinator group decided.</param>
/// <param name="Suspected">Somebody misses its answers, not yet often enough to call it Unreachable.</param>
/// <param name="Incarnation">The newest incarnation known here.</param>
/// <param name="View">View number of the last committed change of its record.</param>
/// <param name="Evidence">Why it is in this state: who probed, what was missed, who asked.</param>
public sealed record Member(
    NodeUid Uid,
    NodeInfo Node,
    MemberState State,
    MemberState CommittedState,
    bool Suspected,
    ulong Incarnation,
    ulong View,
    string Evidence)
{
    public string Name => Node.Name;

    /// <summary>host:port of its cluster endpoint.</summary>
    public string Address => Node.Address;

    /// <summary>May get requests: Up or Leaving, and not Unreachable.</summary>
    public bool IsActive => State is MemberState.Up or MemberState.Leaving;
}
