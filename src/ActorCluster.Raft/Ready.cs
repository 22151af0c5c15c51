using ActorCluster.Protocol;
using ActorCluster.Protocol.Raft;

namespace ActorCluster.Raft;

/// <summary>
/// What a core wants done after it was stepped. The shell, in any order unless said otherwise: sends
/// <see cref="Messages"/>; hands <see cref="Write"/> to storage and calls <see cref="RaftNode.Durable"/> with it once it is
/// durable, in the order of the writes; restores <see cref="SnapshotToInstall"/> before it applies
/// <see cref="Committed"/>, then calls <see cref="RaftNode.Applied"/>; answers <see cref="Reads"/> once it has applied up
/// to their index; streams <see cref="SnapshotsToSend"/>.
/// The object and its lists belong to the core and are valid until the next <see cref="RaftNode.TakeReady"/>; messages,
/// entries and the write are immutable and may be kept.
/// </summary>
public sealed class Ready
{
    internal List<RaftMessage> MessageList = [];
    internal List<FinishedRead> ReadList = [];
    internal List<SnapshotToSend> SnapshotList = [];
    internal readonly List<Entry> CommittedList = [];

    /// <summary>To send at once. What promises something durable is never here before it is durable.</summary>
    public IReadOnlyList<RaftMessage> Messages => MessageList;

    /// <summary>To write, or null. Promises that wait for it come in the Ready after <see cref="RaftNode.Durable"/>.</summary>
    public StorageWrite? Write { get; internal set; }

    /// <summary>
    /// A complete snapshot that came from the leader and replaces the state machine's state; it is already durable in the
    /// snapshot store. <see cref="Write"/> carries its mark.
    /// </summary>
    public SnapshotMeta? SnapshotToInstall { get; internal set; }

    /// <summary>Entries to apply, in order, each given out once.</summary>
    public IReadOnlyList<Entry> Committed => CommittedList;

    /// <summary>Reads that are confirmed or rejected.</summary>
    public IReadOnlyList<FinishedRead> Reads => ReadList;

    /// <summary>Snapshots to stream to followers; reported by <see cref="RaftNode.SnapshotSent"/>.</summary>
    public IReadOnlyList<SnapshotToSend> SnapshotsToSend => SnapshotList;

    /// <summary>Role, term or leader as they are now, when one of them changed since the last Ready.</summary>
    public Leadership? LeadershipChange { get; internal set; }
}

/// <summary>What a replica knows about leadership.</summary>
public readonly record struct Leadership(RaftRole Role, ulong Term, NodeUid Leader);

/// <summary>The end of a read: linearizable once applied up to <paramref name="Index"/>, or rejected (retry, elsewhere).</summary>
public readonly record struct FinishedRead(ulong ReadId, ulong Index, bool Rejected);

/// <summary>A follower needs what the log no longer holds: send it the snapshot <paramref name="Meta"/> or a newer one.</summary>
public readonly record struct SnapshotToSend(NodeUid To, SnapshotMeta Meta);

/// <summary>Why a core did not take a proposal. None of these left anything in a log.</summary>
public enum ProposalRefusal
{
    None,
    NotLeader,

    /// <summary>The leader is handing leadership over.</summary>
    Transferring,

    /// <summary>Too many uncommitted bytes: <see cref="RaftConfig.MaxUncommittedBytes"/>.</summary>
    Overloaded,
}

/// <summary>Where a proposal went in the log, or why it did not. At most one entry is ever committed at an index; it is the
/// proposal's only if the term is the same too (J08).</summary>
public readonly record struct ProposalReceipt(ulong Index, ulong Term, ProposalRefusal Refusal, NodeUid Leader)
{
    public bool Accepted => Refusal == ProposalRefusal.None;
}
