using ActorCluster.Protocol;
using ActorCluster.Protocol.Raft;
using ActorCluster.Raft.Storage;

namespace ActorCluster.Raft;

// Outputs, storage, and the one place where promises leave.
public sealed partial class RaftNode
{
    readonly Ready _ready = new();
    List<RaftMessage> _messages = [];
    List<FinishedRead> _finishedReads = [];
    List<SnapshotToSend> _snapshotsToSend = [];

    /// <summary>Messages that promise something durable, not bound to a write yet.</summary>
    readonly List<RaftMessage> _promises = [];

    /// <summary>Writes handed out and not durable yet, oldest first.</summary>
    readonly Queue<StorageWrite> _writes = new();

    StorageWrite? _lastWrite;
    ulong _writeCount;
    HardState _handedHardState;
    HardState _durableHardState;
    Leadership _reportedLeadership;

    bool WriteIsStalled => _writes.TryPeek(out var oldest) && _ticks - oldest.HandedAtTick >= _config.StalledWriteTicks;

    Leadership CurrentLeadership => new(_role, _term, _leader);

    bool HardStateChanged => _term != _handedHardState.Term || _vote != _handedHardState.Vote;

    bool NeedsWrite => _log.Handed < _log.LastIndex || HardStateChanged || _snapshotToInstall is not null || _trustUnwritten;

    /// <summary>Whether <see cref="TakeReady"/> may have something.</summary>
    public bool HasReady =>
        _messages.Count > 0
        || _promises.Count > 0
        || _maySend && _role == RaftRole.Leader
        || NeedsWrite
        || _log.Delivered < _log.Committed
        || _finishedReads.Count > 0
        || _snapshotsToSend.Count > 0
        || ReadsCanFlush
        || _reportedLeadership != CurrentLeadership;

    /// <summary>Takes what is to be done. Valid until the next call.</summary>
    public Ready TakeReady()
    {
        if (_role == RaftRole.Leader)
        {
            FlushReads();
            if (_maySend) SendAppends();
        }

        _ready.SnapshotToInstall = _snapshotToInstall;
        _ready.Write = TakeWrite();
        BindPromises();
        TakeCommitted();
        (_ready.MessageList, _messages) = (_messages, _ready.MessageList);
        (_ready.ReadList, _finishedReads) = (_finishedReads, _ready.ReadList);
        (_ready.SnapshotList, _snapshotsToSend) = (_snapshotsToSend, _ready.SnapshotList);
        _messages.Clear();
        _finishedReads.Clear();
        _snapshotsToSend.Clear();

        _ready.LeadershipChange = _reportedLeadership == CurrentLeadership ? null : CurrentLeadership;
        _reportedLeadership = CurrentLeadership;
        return _ready;
    }

    StorageWrite? TakeWrite()
    {
        if (!NeedsWrite) return null;
        var hardState = new HardState(_term, _vote, _log.Committed);
        var log = new LogWrite(Group, hardState == _handedHardState ? null : hardState, _log.Unhanded(), _snapshotToInstall, Trusted: _trustUnwritten);
        var write = new StorageWrite(++_writeCount, log, hardState, _log.LastIndex, _log.LastTerm) { HandedAtTick = _ticks };
        _log.Handed = _log.LastIndex;
        _handedHardState = hardState;
        _snapshotToInstall = null;
        _trustUnwritten = false;
        _writes.Enqueue(write);
        _lastWrite = write;
        return write;
    }

    void TakeCommitted()
    {
        var entries = _ready.CommittedList;
        entries.Clear();
        long bytes = 0;
        while (_log.Delivered < _log.Committed && entries.Count < _config.MaxCommittedEntriesPerReady)
        {
            var entry = _log[_log.Delivered + 1];
            bytes += RaftLog.SizeOf(entry);
            if (entries.Count > 0 && bytes > _config.MaxCommittedBytesPerReady) break;
            entries.Add(entry);
            _log.Delivered++;
        }
    }

    /// <summary>The state machine has applied everything up to an index.</summary>
    public void Applied(ulong index)
    {
        Invariant.Check(index >= _log.Applied && index <= _log.Delivered, $"applied {index}, before {_log.Applied}, given out {_log.Delivered}");
        _log.Applied = index;
    }

    /// <summary>Queues a message that may leave only once all that this replica knows now is durable.</summary>
    void Promise(RaftMessage message) => AddPromise(_promises, message);

    static void AddPromise(List<RaftMessage> promises, RaftMessage message)
    {
        // A later acknowledgement to the same leader says all that the one before it says.
        if (message.BodyCase == RaftMessage.BodyOneofCase.AppendResponse
            && promises.Count > 0
            && promises[^1] is { BodyCase: RaftMessage.BodyOneofCase.AppendResponse } last
            && last.To == message.To
            && last.Term == message.Term)
        {
            if (message.AppendResponse.MatchIndex >= last.AppendResponse.MatchIndex) promises[^1] = message;
            return;
        }

        promises.Add(message);
    }

    /// <summary>Promises wait for the newest write, or leave at once when everything is durable.</summary>
    void BindPromises()
    {
        if (_promises.Count == 0) return;
        if (_writes.Count == 0)
        {
            foreach (var promise in _promises) Release(promise, _log.Durable, _durableHardState);
        }
        else
        {
            foreach (var promise in _promises) AddPromise(_lastWrite!.Promises, promise);
        }

        _promises.Clear();
    }

    /// <summary>A write is durable. Called for each write in the order in which they were handed out.</summary>
    public void Durable(StorageWrite write)
    {
        Invariant.Check(_writes.TryDequeue(out var oldest) && oldest == write, $"write {write.Sequence} of {Group} became durable out of order");
        _durableHardState = write.HardState;
        if (write.ReachesTo > _log.Durable)
        {
            // Invariant: while nothing of it was truncated since, the log at the write's end is what was written.
            Invariant.Check(
                write.ReachesTo < write.LastIndex || _log.TermAt(write.LastIndex) is not { } term || term == write.LastTerm,
                $"write {write.Sequence} ended at {write.LastTerm}/{write.LastIndex}, the log there is of term {_log.TermAt(write.LastIndex)}");
            _log.Durable = write.ReachesTo;
        }

        foreach (var promise in write.Promises) Release(promise, _log.Durable, _durableHardState);
        if (_role != RaftRole.Leader) return;

        // A leader that is no member any more leads until that is committed, and counts for nothing.
        if (_members.Self is { } self) self.Match = _log.Durable;
        MaybeCommit();
    }

    /// <summary>
    /// The only way out for acknowledgements and votes. Invariant: acknowledged ≤ durable (faults A1, A2, A3), also when the
    /// append was empty or the group has one voter; a vote leaves only once it is on disk.
    /// </summary>
    void Release(RaftMessage promise, ulong durableIndex, HardState durable)
    {
        switch (promise.BodyCase)
        {
            case RaftMessage.BodyOneofCase.AppendResponse:
                if (promise.Term != _term) return; // of a leader that was superseded meanwhile
                var acknowledged = promise.AppendResponse.MatchIndex;
                Invariant.Check(acknowledged <= durableIndex, $"acknowledging {acknowledged}, durable {durableIndex}");
                TrustIfComplete(acknowledged);
                promise.AppendResponse.Inquiry = _inquiry;
                break;

            case RaftMessage.BodyOneofCase.VoteResponse when !promise.VoteResponse.PreVote:
                if (promise.Term != _term) return;
                Invariant.Check(!IsSuspect, $"a suspect replica votes in term {promise.Term}");
                Invariant.Check(
                    durable.Term == promise.Term && durable.Vote.Value == promise.To,
                    $"voting for {new NodeUid(promise.To)} in term {promise.Term}, durable {durable}");
                break;

            case RaftMessage.BodyOneofCase.VoteRequest:
                if (promise.Term != _term || _role != RaftRole.Candidate) return;
                Invariant.Check(
                    durable.Term == promise.Term && durable.Vote == Self && promise.VoteRequest.LastLogIndex <= durableIndex,
                    $"campaigning in term {promise.Term} with a log up to {promise.VoteRequest.LastLogIndex}, durable {durable} and {durableIndex}");
                break;
        }

        if (promise.To != Self.Value) Send(promise);
        else if (_role == RaftRole.Candidate) OwnVoteIsDurable();
    }
}
