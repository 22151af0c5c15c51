using ActorCluster.Protocol;
using ActorCluster.Protocol.Raft;
using ActorCluster.Raft.Storage;

namespace ActorCluster.Raft;

/// <summary>
/// One replica of one Raft group as a pure state machine: stepped with messages and ticks, it returns what to send, store
/// and apply as a <see cref="Ready"/>. No I/O, no clock, no thread; one caller at a time.
/// Source: Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm" (the paper); Ongaro's thesis.
/// </summary>
public sealed partial class RaftNode
{
    readonly RaftConfig _config;
    readonly IRandomSource _random;
    readonly RaftLog _log;
    GroupMembers _members;

    RaftRole _role = RaftRole.Follower;
    ulong _term;
    NodeUid _vote;
    NodeUid _leader;

    /// <summary>Ticks since the core was made.</summary>
    long _ticks;

    /// <summary>
    /// Follower, candidate: ticks since the leader was heard, a vote granted, or an election begun. Leader: ticks since it was
    /// elected.
    /// </summary>
    int _electionElapsed;

    /// <summary>The election timeout as drawn.</summary>
    int _electionTimeout;

    int _heartbeatElapsed;

    /// <summary>Starts a replica from what its node's log held, or from nothing.</summary>
    /// <param name="config">Constants.</param>
    /// <param name="recovered">Recovered state; for a new group a zero hard state, its first configuration, no entries.</param>
    /// <param name="appliedIndex">What the state machine holds already (the snapshot's index or 0).</param>
    /// <param name="random">Draws election timeouts.</param>
    public RaftNode(RaftConfig config, RecoveredGroup recovered, ulong appliedIndex, IRandomSource random)
    {
        _config = config.Validated();
        _random = random;
        Invariant.Check(recovered.Group == config.Group, $"recovered state of group {recovered.Group} given to group {config.Group}");
        _snapshot = recovered.Snapshot;
        _log = new RaftLog(_snapshot?.Index ?? 0, _snapshot?.Term ?? 0, recovered.Entries);
        _configs = new ConfigHistory(_snapshot?.Index ?? 0, _snapshot?.Config ?? recovered.InitialConfig, recovered.Entries);
        _members = new GroupMembers(_configs.Current, before: null, config);
        (_term, _vote, var commit) = recovered.HardState;
        Invariant.Check(_term >= _log.LastTerm, $"hard state has term {_term}, the log ends in term {_log.LastTerm}");
        Invariant.Check(appliedIndex >= _log.BaseIndex, $"the state machine stands at {appliedIndex}, the log begins after {_log.BaseIndex}");

        // What a state machine applied was committed, even when the commit hint on disk is older.
        _log.CommitTo(Math.Max(commit, Math.Max(appliedIndex, _log.BaseIndex)));
        _log.Delivered = _log.Applied = appliedIndex;
        _handedHardState = recovered.HardState;
        _durableHardState = recovered.HardState;
        BeginSuspect(recovered.Suspicion);
        BecomeFollower(_term, NodeUid.None);
    }

    /// <summary>This node.</summary>
    public NodeUid Self => _config.Self;

    public GroupId Group => _config.Group;
    public RaftRole Role => _role;
    public ulong Term => _term;
    public NodeUid Vote => _vote;
    public NodeUid Leader => _leader;
    public ulong CommitIndex => _log.Committed;
    public ulong AppliedIndex => _log.Applied;
    public ulong DurableIndex => _log.Durable;
    public ulong FirstIndex => _log.FirstIndex;
    public ulong LastIndex => _log.LastIndex;
    public ulong LastTerm => _log.LastTerm;

    /// <summary>Bytes of the entries held in memory.</summary>
    public long LogBytes => _log.Bytes;

    /// <summary>The voters of the configuration that holds; of a joint one the new ones.</summary>
    public IReadOnlyList<NodeUid> Voters => _members.Voters;

    /// <summary>The newest snapshot that covers the log's beginning, or null.</summary>
    public SnapshotMeta? Snapshot => _snapshot;

    /// <summary>The term of the entry at an index, or null when the log does not hold it (any more).</summary>
    public ulong? TermAt(ulong index) => _log.TermAt(index);

    /// <summary>The entry at an index, or null when the log does not hold it (any more).</summary>
    public Entry? EntryAt(ulong index) => _log.EntryAt(index);

    /// <summary>
    /// Takes a message of another replica. What is not for this uid is dropped. Requests of nodes that this replica does not know as
    /// members count: its own configuration may be old (thesis, section 4.2.2; faults E3).
    /// </summary>
    public void Step(RaftMessage message)
    {
        // A node that lost its disk comes back under another uid: what was meant for the old one is not its business.
        if (message.Group != Group.Value || message.To != Self.Value || message.From == Self.Value) return;
        var from = new NodeUid(message.From);
        if (message.Term > _term)
        {
            if (!EnterHigherTerm(message, from)) return;
        }
        else if (message.Term < _term)
        {
            AnswerLowerTerm(message, from);
            return;
        }

        Dispatch(message, from);
    }

    void Dispatch(RaftMessage message, NodeUid from)
    {
        switch (message.BodyCase)
        {
            case RaftMessage.BodyOneofCase.VoteRequest: HandleVoteRequest(message, from); break;
            case RaftMessage.BodyOneofCase.VoteResponse: if (_members.Find(from) is { } voter) HandleVoteResponse(message, voter); break;
            case RaftMessage.BodyOneofCase.AppendRequest: HandleAppendRequest(message.AppendRequest, from); break;
            case RaftMessage.BodyOneofCase.AppendResponse: if (_members.Find(from) is { } follower) HandleAppendResponse(message.AppendResponse, follower); break;
            case RaftMessage.BodyOneofCase.Heartbeat: HandleHeartbeat(message.Heartbeat, from); break;
            case RaftMessage.BodyOneofCase.HeartbeatResponse: if (_members.Find(from) is { } member) HandleHeartbeatResponse(message.HeartbeatResponse, member); break;
            case RaftMessage.BodyOneofCase.InstallSnapshot: HandleInstallSnapshot(message.InstallSnapshot, from); break;
            case RaftMessage.BodyOneofCase.ReadIndexRequest: HandleReadIndexRequest(message.ReadIndexRequest, from); break;
            case RaftMessage.BodyOneofCase.ReadIndexResponse: HandleReadIndexResponse(message.ReadIndexResponse); break;
            case RaftMessage.BodyOneofCase.TimeoutNow: HandleTimeoutNow(); break;

            // Between the shells, or from a version that knows more.
            case RaftMessage.BodyOneofCase.SnapshotChunkResponse:
            case RaftMessage.BodyOneofCase.None:
            default: break;
        }
    }

    /// <summary>Paper, section 5.1: a higher term makes everybody a follower. Returns false when the message is to be ignored.</summary>
    bool EnterHigherTerm(RaftMessage message, NodeUid from)
    {
        switch (message.BodyCase)
        {
            case RaftMessage.BodyOneofCase.VoteRequest:
                // Thesis, section 6.2: who hears its leader neither votes nor raises its term, unless the leader itself asked.
                if (!message.VoteRequest.LeaderTransfer && HoldsToLeader) return false;
                if (!message.VoteRequest.PreVote) BecomeFollower(message.Term, NodeUid.None);
                return true;

            // A granted pre-vote carries the term that the candidate would have; nobody is in it yet.
            case RaftMessage.BodyOneofCase.VoteResponse when message.VoteResponse is { PreVote: true, Granted: true }:
                return true;

            case RaftMessage.BodyOneofCase.AppendRequest:
            case RaftMessage.BodyOneofCase.Heartbeat:
            case RaftMessage.BodyOneofCase.InstallSnapshot:
                BecomeFollower(message.Term, from);
                return true;

            default:
                BecomeFollower(message.Term, NodeUid.None);
                return true;
        }
    }

    /// <summary>Tells the sender of an old term about the new one where that moves things on; ignores the rest.</summary>
    void AnswerLowerTerm(RaftMessage message, NodeUid from)
    {
        switch (message.BodyCase)
        {
            case RaftMessage.BodyOneofCase.AppendRequest:
            case RaftMessage.BodyOneofCase.Heartbeat:
            case RaftMessage.BodyOneofCase.InstallSnapshot:
                // With pre-vote a replica in a higher term never campaigns while others hear the old leader: only this answer
                // makes that leader step down.
                Send(NewMessage(from, new AppendResponse { RejectedIndex = message.AppendRequest?.PrevLogIndex ?? 0 }));
                break;

            case RaftMessage.BodyOneofCase.VoteRequest:
                Send(NewMessage(from, new VoteResponse { PreVote = message.VoteRequest.PreVote }));
                break;

            // The reader is behind, but what this leader confirms holds for it too.
            case RaftMessage.BodyOneofCase.ReadIndexRequest:
                HandleReadIndexRequest(message.ReadIndexRequest, from);
                break;
        }
    }

    /// <summary>One tick of the clock passed.</summary>
    public void Tick()
    {
        _ticks++;
        ExpireForwardedReads();
        if (_role == RaftRole.Leader) TickLeader();
        else TickElection();
    }

}
