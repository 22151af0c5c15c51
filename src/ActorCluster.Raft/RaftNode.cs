using ActorCluster.Protocol;
using ActorCluster.Protocol.Raft;
using ActorCluster.Raft.Storage;
using Google.Protobuf;

namespace ActorCluster.Raft;

/// <summary>
/// One replica of one Raft group as a pure state machine: stepped with messages and ticks, it returns what to send, store
/// and apply as a <see cref="Ready"/>. No I/O, no clock, no thread; one caller at a time.
/// Source: Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm" (the paper); Ongaro's thesis.
/// </summary>
public sealed partial class RaftNode
{
    /// <summary>Starts a replica from what its node's log held, or from nothing.</summary>
    /// <param name="config">Constants.</param>
    /// <param name="recovered">Recovered state; for a new group a zero hard state, its first configuration, no entries.</param>
    /// <param name="appliedIndex">What the state machine holds already (the snapshot's index or 0).</param>
    /// <param name="random">Draws election timeouts.</param>
    public RaftNode(RaftConfig config, RecoveredGroup recovered, ulong appliedIndex, IRandomSource random) => throw new NotSupportedException("not landed yet");

    /// <summary>This node.</summary>
    public NodeUid Self => throw new NotSupportedException();
    public RaftRole Role => throw new NotSupportedException();
    public ulong Term => throw new NotSupportedException();
    public NodeUid Vote => throw new NotSupportedException();
    public NodeUid Leader => throw new NotSupportedException();
    public ulong CommitIndex => throw new NotSupportedException();
    public ulong AppliedIndex => throw new NotSupportedException();
    public ulong DurableIndex => throw new NotSupportedException();
    public ulong FirstIndex => throw new NotSupportedException();
    public ulong LastIndex => throw new NotSupportedException();
    public ulong LastTerm => throw new NotSupportedException();
    public long LogBytes => throw new NotSupportedException();
    public IReadOnlyList<NodeUid> Voters => throw new NotSupportedException();

    /// <summary>The newest snapshot that covers the log's beginning, or null.</summary>
    public SnapshotMeta? Snapshot => throw new NotSupportedException();

    /// <summary>The term of the entry at an index, or null when the log does not hold it (any more).</summary>
    public ulong? TermAt(ulong index) => throw new NotSupportedException();

    /// <summary>The entry at an index, or null when the log does not hold it (any more).</summary>
    public Entry? EntryAt(ulong index) => throw new NotSupportedException();

    /// <summary>Takes a message of another replica. What is not for this uid, or not from a member, is dropped.</summary>
    public void Step(RaftMessage message) => throw new NotSupportedException();

    /// <summary>One tick of the clock passed.</summary>
    public void Tick() => throw new NotSupportedException();

    /// <summary>Appends a command to the log if this replica is the leader.</summary>
    public ProposalReceipt Propose(ByteString payload) => throw new NotSupportedException();

    /// <summary>Asks for an index at which a read is linearizable; the answer is a <see cref="FinishedRead"/>. Ids are never used twice.</summary>
    public void ReadIndex(ulong readId) => throw new NotSupportedException();

    /// <summary>A hint: the connection to the leader broke and an immediate reconnect was refused.</summary>
    public void LeaderLost(NodeUid leader) => throw new NotSupportedException();

    /// <summary>Hands leadership to a voter (None: the most up-to-date one). False when this is not the leader or nobody is there to take it.</summary>
    public bool TransferLeadership(NodeUid to) => throw new NotSupportedException();

    /// <summary>Whether <see cref="TakeReady"/> may have something.</summary>
    public bool HasReady => throw new NotSupportedException();

    /// <summary>Takes what is to be done. Valid until the next call.</summary>
    public Ready TakeReady() => throw new NotSupportedException();

    /// <summary>A write is durable. Called for each write in the order in which they were handed out.</summary>
    public void Durable(StorageWrite write) => throw new NotSupportedException();

    /// <summary>The state machine has applied everything up to an index.</summary>
    public void Applied(ulong index) => throw new NotSupportedException();

    /// <summary>A snapshot of this replica's own state is durable: the log below it may go.</summary>
    public void SnapshotTaken(SnapshotMeta meta) => throw new NotSupportedException();

    /// <summary>A snapshot on its way to a follower moved on.</summary>
    public void SnapshotProgress(NodeUid to) => throw new NotSupportedException();

    /// <summary>A snapshot was delivered to a follower, or was given up.</summary>
    public void SnapshotSent(NodeUid to, bool delivered) => throw new NotSupportedException();
}
