using ActorCluster.Protocol.Membership;
using Google.Protobuf;

namespace ActorCluster.Membership;

/// <summary>
/// A part of the coordinator's replicated state that another project registers: the partition map, tables, tokens.
/// Like every state machine it is a pure function of the log.
/// </summary>
public interface ICoordinatorPart
{
    /// <summary>Under which its commands and its state are stored; never changes.</summary>
    string Name { get; }

    /// <summary>
    /// The partition map that this part answers for, to be published as <see cref="CommittedView.Partitions"/>; null when it
    /// has none (yet). Read after <see cref="Formed"/>, <see cref="Apply"/> and <see cref="Restore"/>; a map once handed
    /// out is never changed.
    /// </summary>
    PartitionMap? Partitions { get; }

    /// <summary>The first decision of the log was applied: the cluster exists. The part may take its first state from it.</summary>
    void Formed(FormedCluster cluster);

    /// <summary>Applies a committed command of this part.</summary>
    /// <param name="command">What was proposed.</param>
    /// <param name="view">The committed view before this decision.</param>
    PartResult Apply(ByteString command, CommittedView view);

    /// <summary>The state for a snapshot.</summary>
    ByteString Save();

    /// <summary>Replaces the state by a saved one.</summary>
    /// <exception cref="InvalidDataException">It is not a state of this part.</exception>
    void Restore(ByteString state);
}

/// <summary>What applying a part's command gave.</summary>
/// <param name="Changed">The state changed: the view number rises by one.</param>
/// <param name="Reply">For the proposer.</param>
public readonly record struct PartResult(bool Changed, IMessage? Reply);
