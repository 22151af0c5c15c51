using ActorCluster.Protocol;
using ActorCluster.Raft.Storage;
using Google.Protobuf;

namespace ActorCluster.Raft.Actors;

/// <summary>A replica of a group on this node, as the rest of the node sees it. Safe to call from any thread.</summary>
public interface IReplicaGroup
{
    GroupId Id { get; }

    /// <summary>A recent picture for routing and for people; never a basis for a linearizable answer.</summary>
    GroupStatus Status { get; }

    /// <summary>
    /// Proposes a command. Completes when this replica has applied it (Committed), when it certainly never will be
    /// (NotExecuted), or when that cannot be known (Unknown).
    /// </summary>
    Task<ProposalResult> ProposeAsync(ByteString command, CancellationToken ct);

    /// <summary>
    /// Runs <paramref name="read"/> on the state machine, linearizably: after a ReadIndex confirmation that began after
    /// this call and once the replica has applied up to that index. Works on followers too. It must not keep references
    /// to mutable state nor block.
    /// </summary>
    Task<ReadResult<T>> ReadAsync<T>(Func<IStateMachine, T> read, CancellationToken ct);

    /// <summary>
    /// Asks this replica, if it leads, to work towards these voters (<see cref="RaftNode.ChangeMembers"/>). Ask again until it is
    /// <see cref="MembershipChange.Done"/>: a leader that falls forgets it.
    /// </summary>
    /// <exception cref="ArgumentException">No voters, a node twice, or too many.</exception>
    Task<MembershipChange> ChangeMembersAsync(IReadOnlyCollection<NodeUid> voters, IReadOnlyCollection<NodeUid> learners);

    /// <summary>
    /// The replica is no member of its group any more, committed, and may not know it: time stops for it, so that it never stands for
    /// election. It goes on answering, truthfully, from its log.
    /// </summary>
    void Retire();

    bool IsRetired { get; }

    /// <summary>It is to be a member again: time goes on.</summary>
    void Resume();
}

/// <summary>How a proposal ended (guarantee G6).</summary>
public enum ProposalOutcome
{
    /// <summary>Committed and applied here.</summary>
    Committed,

    /// <summary>Never entered the log of a leader that could commit it: safe to retry.</summary>
    NotExecuted,

    /// <summary>In a log when leadership, time or the node was lost: may still be committed.</summary>
    Unknown,
}

/// <summary>The end of a proposal.</summary>
/// <param name="Outcome">How it ended.</param>
/// <param name="Index">Log index, when Committed.</param>
/// <param name="Term">Log term, when Committed.</param>
/// <param name="Value">What <see cref="IStateMachine.Apply"/> returned, when Committed.</param>
/// <param name="Error">Why, otherwise.</param>
/// <param name="Leader">The leader as known here, when this replica was not it.</param>
/// <param name="Message">For people.</param>
public readonly record struct ProposalResult(
    ProposalOutcome Outcome,
    ulong Index,
    ulong Term,
    object? Value,
    ErrorCode Error,
    NodeUid Leader,
    string Message);

/// <summary>The end of a read: a value, or why there is none (a read is always safe to retry).</summary>
public readonly record struct ReadResult<T>(bool Ok, T? Value, ulong Index, ErrorCode Error, NodeUid Leader, string Message);

/// <summary>A picture of a replica. What <see cref="IsNeeded"/> means: <see cref="RaftNode.IsNeeded"/>.</summary>
public sealed record GroupStatus(
    GroupId Id,
    RaftRole Role,
    ulong Term,
    NodeUid Leader,
    ulong CommitIndex,
    ulong AppliedIndex,
    ulong FirstIndex,
    ulong LastIndex,
    long LogBytes,
    ulong SnapshotIndex,
    long SnapshotBytes,
    IReadOnlyList<NodeUid> Voters,
    ulong AppliedEntries,
    bool LeaderReady,
    bool IsNeeded,
    Suspicion? Suspicion = null);

/// <summary>
/// Published on the actor system's event stream whenever a replica's role, term or leader changes, and when a new leader
/// has applied the no-op of its term (<see cref="LeaderReady"/>): only from then on may it host activations.
/// </summary>
public sealed record GroupLeadershipChanged(GroupId Group, RaftRole Role, ulong Term, NodeUid Leader, bool LeaderReady);
