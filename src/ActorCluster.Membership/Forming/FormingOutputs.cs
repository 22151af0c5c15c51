using ActorCluster.Protocol.Membership;

namespace ActorCluster.Membership;

/// <summary>What the shell has to do for <see cref="FormingNode"/>.</summary>
public abstract record FormingOutput;

/// <summary>Send to the actor `membership` of the node at an address.</summary>
public sealed record SendForming(string Address, FormingMessage Message) : FormingOutput;

/// <summary>
/// Store and sync, then call <see cref="FormingNode.Persisted"/> with the token. Answers that depend on it are held back
/// until then.
/// </summary>
public sealed record PersistForming(ulong Token, FormingState State) : FormingOutput;

/// <summary>The cluster exists and its value is durable here: store its id and act as a first member.</summary>
public sealed record ClusterFormed(FormedCluster Cluster) : FormingOutput;

/// <summary>Somebody has a cluster already: ask to join it.</summary>
public sealed record ClusterFound(string ClusterId, string Address) : FormingOutput;

/// <summary>A peer is refused, and refuses this node: settings or cluster differ. The message names both values.</summary>
public sealed record FormingRefused(NodeInfo Peer, string Message) : FormingOutput;

/// <summary>Durations, in milliseconds of the shell's monotonic clock.</summary>
/// <param name="HelloMs">Between two hellos to everybody.</param>
/// <param name="ContactMs">A node not heard for this long is not in contact.</param>
/// <param name="BallotMs">A ballot that has not ended after this (and a random part as long again) is followed by another.</param>
public sealed record FormingTiming(long HelloMs = 150, long ContactMs = 2000, long BallotMs = 1000);

/// <summary>Where forming stands.</summary>
public enum FormingPhase
{
    /// <summary>Fewer than the expected number of blank nodes are in contact.</summary>
    Waiting,

    /// <summary>Enough nodes are in contact; they bind themselves to one set and agree.</summary>
    Agreeing,

    /// <summary>An earlier attempt may have formed a cluster with nodes that are gone.</summary>
    Blocked,

    /// <summary>A cluster exists: this node joins it.</summary>
    Joining,

    /// <summary>This node belongs to a cluster.</summary>
    Formed,
}

/// <summary>Forming, for people.</summary>
/// <param name="Phase">Where it stands.</param>
/// <param name="Expect">How many nodes form the first cluster.</param>
/// <param name="InContact">Names of the blank nodes in contact, this one first.</param>
/// <param name="Missing">Who is waited for: seeds not heard of, or how many more.</param>
/// <param name="Problems">Refusals, and why it is blocked.</param>
public sealed record FormingStatus(
    FormingPhase Phase,
    int Expect,
    IReadOnlyList<string> InContact,
    IReadOnlyList<string> Missing,
    IReadOnlyList<string> Problems);
