using ActorCluster.Protocol;
using ActorCluster.Protocol.Membership;

namespace ActorCluster.Membership;

/// <summary>Something that happened to the table. The actors publish each on the actor system's event stream.</summary>
public abstract record MembershipEvent;

/// <summary>
/// A member changed its state, as this node sees it. Previous is Unspecified for a member that was not known; the evidence
/// says why: who probed, what was missed, who asked.
/// </summary>
public sealed record MemberStateChanged(
    NodeUid Uid,
    string Name,
    string Address,
    MemberState Previous,
    MemberState Current,
    ulong Incarnation,
    ulong View,
    string Evidence) : MembershipEvent;

/// <summary>The same node runs again as a newer process.</summary>
public sealed record MemberRestarted(NodeUid Uid, string Name, string Address, ulong PreviousIncarnation, ulong Incarnation) : MembershipEvent;

/// <summary>A node asked for an address or a name that another node, with another data directory, holds (rows A10, B14).</summary>
public sealed record AuthorityConflict(string Address, string Name, NodeUid Existing, NodeUid Requested, string Reason) : MembershipEvent;

/// <summary>A command asked for a change of state that is not legal; nothing changed.</summary>
public sealed record IllegalTransitionRefused(NodeUid Uid, MemberState From, MemberState To, string Reason) : MembershipEvent;

/// <summary>A delta older than the table arrived; the table is untouched (row D14).</summary>
public sealed record StaleDeltaRefused(ulong LocalView, ulong FromView, ulong ToView) : MembershipEvent;

/// <summary>A delta begins above the table: the range between is asked for.</summary>
public sealed record MissingRange(ulong LocalView, ulong FromView, ulong ToView) : MembershipEvent;

/// <summary>Two nodes hold different content under one view number: a broken promise of the coordinator group. The local view stays.</summary>
public sealed record ViewConflict(ulong View, ulong LocalHash, ulong RemoteHash) : MembershipEvent;

/// <summary>A message of another cluster was refused.</summary>
public sealed record ClusterMismatch(string LocalClusterId, string RemoteClusterId) : MembershipEvent;

/// <summary>This node refuted what others observed of it.</summary>
public sealed record SelfRefuted(ulong Incarnation, ulong Counter, NodeUid Observer, string Evidence) : MembershipEvent;

/// <summary>
/// The cluster knows a newer incarnation of this very data directory: two processes use copies of it, or it was restored
/// from an old copy. The node must stop.
/// </summary>
public sealed record OwnIncarnationIsOld(ulong Own, ulong Known) : MembershipEvent;
