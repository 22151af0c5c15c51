using ActorCluster.Protocol;

namespace ActorCluster.Raft;

/// <summary>
/// What a replica must remember across a crash beside its log (Raft paper, figure 2): the current term, and whom it
/// voted for in it. The commit index is kept as a hint: a restart may begin from it, correctness never needs it.
/// Invariant: term never falls; within a term the vote is set once and never changes.
/// </summary>
public readonly record struct HardState(ulong Term, NodeUid Vote, ulong Commit);
