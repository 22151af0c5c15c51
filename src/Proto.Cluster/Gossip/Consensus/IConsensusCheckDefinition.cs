using System.Collections.Immutable;

namespace Proto.Cluster.Gossip;

/// <summary>Do these members agree, by what is known here of their state? Called on the gossip actor's turns: quick, and without side effects.</summary>
public delegate (bool consensus, T value) ConsensusCheck<T>(GossipState state, IImmutableSet<string> memberIds);

/// <summary>What members shall agree on.</summary>
public interface IConsensusCheckDefinition<T>
{
    ConsensusCheck<T> Check { get; }

    /// <summary>The keys that the check reads: it runs when one of them changes, and when the members change.</summary>
    IImmutableSet<string> AffectedKeys { get; }
}
