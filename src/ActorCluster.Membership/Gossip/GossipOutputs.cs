using ActorCluster.Protocol;

namespace ActorCluster.Membership;

/// <summary>Where spreading the newest view stands.</summary>
public enum GossipState
{
    /// <summary>Not every reachable peer has said that it has the newest view.</summary>
    Diffusing,

    /// <summary>Views did not fit: a range is missing here or at a peer, and is being sent again.</summary>
    Reconciling,

    /// <summary>Every reachable peer has the newest view.</summary>
    Confirmed,
}

/// <summary>What the shell has to do for <see cref="GossipEngine"/>.</summary>
public abstract record GossipOutput;

/// <summary>Send to the actor `membership` at an address.</summary>
public sealed record SendGossip(string Address, Protocol.Membership.Gossip Message) : GossipOutput;

/// <summary>A new view is on its way to its peers.</summary>
public sealed record Disseminated(int Peers, ulong View) : MembershipEvent;

/// <summary>All reachable peers have the view; how long that took on this node's clock, in milliseconds.</summary>
public sealed record Confirmed(ulong View, long ConvergenceMs) : MembershipEvent;

/// <summary>A peer sent a delta that ends below the local view, or other content under the same view; the table is untouched.</summary>
public sealed record ConflictDetected(NodeUid Peer, ulong LocalView, ulong RemoteView) : MembershipEvent;

/// <summary>Views are missing here: the peer is asked for the range (From, To].</summary>
public sealed record ReconcilingRequested(NodeUid Peer, ulong From, ulong To) : MembershipEvent;

/// <summary>Settings of gossip.</summary>
/// <param name="IntervalMs">Between two exchanges that this node opens.</param>
/// <param name="Fanout">With how many peers each time.</param>
/// <param name="PushFanout">To how many peers a change is pushed at once.</param>
/// <param name="MaxObservations">Most observations in one message; the rest follows in later exchanges.</param>
/// <param name="FreshMs">
/// A peer heard within this time is alive, whatever others say: what they observed is put to the peer itself first.
/// </param>
public sealed record GossipOptions(int IntervalMs = 200, int Fanout = 3, int PushFanout = 8, int MaxObservations = 512, int FreshMs = 1000);
