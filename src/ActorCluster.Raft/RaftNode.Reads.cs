using ActorCluster.Protocol;
using ActorCluster.Protocol.Raft;

namespace ActorCluster.Raft;

// Linearizable reads (thesis, section 6.4).
public sealed partial class RaftNode
{
    readonly ReadQueue _reads = new();
    readonly List<PendingRead> _endedReads = [];

    /// <summary>Follower: reads of this node that the leader was asked about, and the tick at which they are given up.</summary>
    readonly List<(ulong ReadId, long ExpiresAtTick)> _forwardedReads = [];

    /// <summary>
    /// Asks for an index at which a read is linearizable; the answer is a <see cref="FinishedRead"/>. A follower asks its leader.
    /// Ids are never used twice.
    /// </summary>
    public void ReadIndex(ulong readId)
    {
        if (_role == RaftRole.Leader)
        {
            QueueRead(new PendingRead(Self, readId));
            return;
        }

        if (_leader.IsNone || _forwardedReads.Count >= _config.MaxPendingReads)
        {
            _finishedReads.Add(new FinishedRead(readId, 0, Rejected: true));
            return;
        }

        _forwardedReads.Add((readId, _ticks + _config.ForwardedReadTicks));
        Send(NewMessage(_leader, new ReadIndexRequest { ReadId = readId }));
    }

    void HandleReadIndexRequest(ReadIndexRequest request, NodeUid from)
    {
        var read = new PendingRead(from, request.ReadId);
        if (_role == RaftRole.Leader) QueueRead(read);
        else EndRead(read, 0, rejected: true);
    }

    void QueueRead(PendingRead read)
    {
        if (_reads.Count >= _config.MaxPendingReads)
        {
            EndRead(read, 0, rejected: true);
            return;
        }

        _reads.Add(read);
    }

    /// <summary>
    /// Starts to confirm the queued reads if none are being confirmed: at once, not at the next tick. A leader that has not
    /// committed in its term does not know the commit index yet (faults C1): reads wait until it has.
    /// </summary>
    void FlushReads()
    {
        if (!_reads.HasOpen || _reads.IsConfirming || !_log.Matches(_log.Committed, _term)) return;
        _reads.BeginConfirming(_log.Committed);
        if (_members.SelfIsQuorum) EndConfirmedReads();
        else BroadcastHeartbeat();
    }

    bool ReadsCanFlush => _role == RaftRole.Leader && _reads.HasOpen && !_reads.IsConfirming && _log.Matches(_log.Committed, _term);

    void ConfirmReads(HeartbeatResponse response, Progress from)
    {
        from.ConfirmedReadContext = Math.Max(from.ConfirmedReadContext, response.ReadContext);
        if (_reads.IsConfirming && _members.IsReadConfirmed(_reads.Context)) EndConfirmedReads();
    }

    void EndConfirmedReads()
    {
        _reads.TakeConfirmed(_endedReads);
        foreach (var read in _endedReads) EndRead(read, _reads.Index, rejected: false);
        _endedReads.Clear();
    }

    void RejectQueuedReads()
    {
        _reads.TakeAll(_endedReads);
        foreach (var read in _endedReads) EndRead(read, 0, rejected: true);
        _endedReads.Clear();
    }

    void EndRead(PendingRead read, ulong index, bool rejected)
    {
        if (read.From == Self)
        {
            _finishedReads.Add(new FinishedRead(read.ReadId, index, rejected));
            return;
        }

        Send(NewMessage(read.From, new ReadIndexResponse { ReadId = read.ReadId, Index = index, Rejected = rejected }));
        if (!rejected) _sendCommits = _maySend = true; // the reader waits until it has applied up to the index
    }

    void HandleReadIndexResponse(ReadIndexResponse response)
    {
        var position = _forwardedReads.FindIndex(r => r.ReadId == response.ReadId);
        if (position < 0) return;
        _forwardedReads.RemoveAt(position);
        _finishedReads.Add(new FinishedRead(response.ReadId, response.Index, response.Rejected));
    }

    void ExpireForwardedReads()
    {
        var expired = 0;
        while (expired < _forwardedReads.Count && _forwardedReads[expired].ExpiresAtTick <= _ticks) expired++;
        for (var i = 0; i < expired; i++) _finishedReads.Add(new FinishedRead(_forwardedReads[i].ReadId, 0, Rejected: true));
        _forwardedReads.RemoveRange(0, expired);
    }

    /// <summary>The leader that was asked leads no more, as far as is known here: its answers may never come.</summary>
    void RejectForwardedReads()
    {
        foreach (var (readId, _) in _forwardedReads) _finishedReads.Add(new FinishedRead(readId, 0, Rejected: true));
        _forwardedReads.Clear();
    }
}
