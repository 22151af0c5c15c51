using ActorCluster.Protocol;
using ActorCluster.Protocol.Raft;
using Google.Protobuf;

namespace ActorCluster.Raft;

// Log replication (paper, section 5.3), commit (5.4.2), heartbeats.
public sealed partial class RaftNode
{
    long _uncommittedBytes;

    /// <summary>Something happened that may allow or demand appends; they are made in TakeReady, so that they are batched.</summary>
    bool _maySend;

    /// <summary>Followers that only lack the commit index get it too (once per tick: under load it travels with entries).</summary>
    bool _sendCommits;

    /// <summary>Appends a command to the log if this replica is the leader.</summary>
    public ProposalReceipt Propose(ByteString payload)
    {
        var refusal = ProposalRefusal.None;
        if (_role != RaftRole.Leader) refusal = ProposalRefusal.NotLeader;
        else if (!_transferee.IsNone) refusal = ProposalRefusal.Transferring;
        else if (_uncommittedBytes > 0 && _uncommittedBytes + payload.Length > _config.MaxUncommittedBytes) refusal = ProposalRefusal.Overloaded;
        if (refusal != ProposalRefusal.None) return new ProposalReceipt(0, 0, refusal, _leader);

        var entry = new Entry { Term = _term, Index = _log.LastIndex + 1, Kind = EntryKind.Command, Payload = payload };
        AppendToOwnLog(entry);
        return new ProposalReceipt(entry.Index, entry.Term, ProposalRefusal.None, Self);
    }

    void AppendToOwnLog(Entry entry)
    {
        _log.Append(entry);
        _uncommittedBytes += RaftLog.SizeOf(entry);
        _maySend = true;
        if (entry.Kind == EntryKind.Config) AdoptConfig(entry);
    }

    /// <summary>A configuration holds as soon as it is in the log.</summary>
    void AdoptConfig(Entry entry)
    {
        _configs.Add(entry);
        UseCurrentConfig();
    }

    void SendAppends()
    {
        foreach (var member in _members.All)
        {
            if (member == _members.Self) continue;
            while (TrySendAppend(member))
            {
            }
        }

        _maySend = _sendCommits = false;
    }

    /// <summary>Sends one append if the follower's state allows; true when there may be more to send.</summary>
    bool TrySendAppend(Progress to)
    {
        if (to.State == ProgressState.Snapshot || to.State == ProgressState.Probe && to.Paused) return false;

        // Invariant: a full window carries no more entries; a nudge (no entries) still finds out what was lost.
        var mayCarryEntries = to.Next <= _log.LastIndex && !(to.State == ProgressState.Replicate && to.Inflights.Full);
        var lacksCommit = _sendCommits && to.SentCommit < Math.Min(_log.Committed, to.Match);
        if (!mayCarryEntries && !to.Nudge && !lacksCommit) return false;

        var prev = to.Next - 1;
        if (_log.TermAt(prev) is not { } prevTerm)
        {
            StartSnapshot(to);
            return false;
        }

        var request = new AppendRequest { PrevLogIndex = prev, PrevLogTerm = prevTerm, LeaderCommit = _log.Committed };
        if (to.Inquiry != 0) (request.Inquiry, request.LastIndex) = (to.Inquiry, _log.LastIndex);
        var bytes = mayCarryEntries ? _log.CopyTo(request.Entries, to.Next, _config.MaxAppendBytes) : 0;
        Send(NewMessage(to.Uid, request));

        var last = prev + (ulong)request.Entries.Count;
        to.Nudge = false;
        to.SentCommit = Math.Max(to.SentCommit, Math.Min(_log.Committed, last));
        if (to.State == ProgressState.Probe)
        {
            to.Paused = true;
            return false;
        }

        if (request.Entries.Count == 0) return false;
        to.Next = last + 1;
        to.Inflights.Add(last, bytes);
        return true;
    }

    void HandleAppendRequest(AppendRequest request, NodeUid from)
    {
        FollowLeader(from);
        TakeAnswer(request);
        var prev = request.PrevLogIndex;
        var skip = 0;
        if (prev < _log.Committed)
        {
            // Late or repeated. What is committed equals the leader's log (leader completeness, section 5.4.3): go on from there.
            skip = (int)Math.Min((ulong)request.Entries.Count, _log.Committed - prev);
            prev = _log.Committed;
        }
        else if (!_log.Matches(prev, request.PrevLogTerm))
        {
            RejectAppend(prev, from);
            return;
        }

        var match = prev;
        for (var i = skip; i < request.Entries.Count; i++)
        {
            var entry = request.Entries[i];
            Invariant.Check(entry.Index == match + 1, $"entry {entry.Index} of an append follows {match}");
            match = entry.Index;

            // Only a conflict removes anything (faults B4): entries beyond these may have come by a later append already.
            if (_log.Matches(entry.Index, entry.Term)) continue;
            if (entry.Index <= _log.LastIndex) TruncateLog(entry.Index);
            _log.Append(entry);
            if (entry.Kind == EntryKind.Config) AdoptConfig(entry);
        }

        _log.CommitTo(Math.Min(request.LeaderCommit, match));
        PromiseAppended(from, match);
    }

    /// <summary>Acknowledges to the leader that the log is equal, and durable, up to <paramref name="match"/>.</summary>
    void PromiseAppended(NodeUid to, ulong match) =>
        Promise(NewMessage(to, new AppendResponse { Success = true, MatchIndex = match }));

    void RejectAppend(ulong prev, NodeUid to)
    {
        Invariant.Check(prev > _log.Committed, $"the leader's log differs at {prev}, which is committed here (up to {_log.Committed})");
        var response = new AppendResponse { RejectedIndex = prev, Inquiry = _inquiry };
        if (_log.TermAt(prev) is { } term)
        {
            response.ConflictTerm = term;
            response.ConflictIndex = _log.FirstIndexOfTermAt(prev);
        }
        else
        {
            response.ConflictIndex = _log.LastIndex + 1;
        }

        Send(NewMessage(to, response));
    }

    void TruncateLog(ulong from)
    {
        _log.Truncate(from);
        foreach (var write in _writes) write.ReachesTo = Math.Min(write.ReachesTo, from - 1);
        if (_configs.Truncate(from)) UseCurrentConfig();
    }

    void HandleAppendResponse(AppendResponse response, Progress from)
    {
        if (_role != RaftRole.Leader) return;
        from.HeardAtTick = _ticks;
        NoteInquiry(response.Inquiry, from);
        if (!response.Success)
        {
            if (from.TryBackUp(response.RejectedIndex, NextAfterConflict(response))) _maySend = true;
            return;
        }

        Invariant.Check(response.MatchIndex <= _log.LastIndex, $"{from.Uid} acknowledges {response.MatchIndex}, the log ends at {_log.LastIndex}");
        var advanced = from.TryAdvance(response.MatchIndex);
        switch (from.State)
        {
            case ProgressState.Probe when response.MatchIndex == from.Match:
            case ProgressState.Snapshot when from.Match >= _log.BaseIndex && from.Match >= from.SnapshotIndex:
                from.BecomeReplicate();
                _maySend = true;
                break;
            case ProgressState.Replicate:
                from.Inflights.FreeTo(response.MatchIndex);
                _maySend = true;
                break;
        }

        if (!advanced) return;
        TrackCatchUp(from);
        MaybeCommit();
        if (_role != RaftRole.Leader) return;
        if (from.Uid == _transferee) CompleteTransferTo(from);
    }

    /// <summary>Paper, end of section 5.3: skips all of a conflicting term at once.</summary>
    ulong NextAfterConflict(AppendResponse response)
    {
        if (response.ConflictTerm == 0) return response.ConflictIndex;
        var index = _log.LastIndexOfTermAtMost(response.ConflictTerm, response.RejectedIndex);
        return _log.TermAt(index) == response.ConflictTerm ? index + 1 : response.ConflictIndex;
    }

    void MaybeCommit()
    {
        var index = _members.CommittedIndex();

        // Section 5.4.2, figure 8: an entry of an older term on a quorum may still be overwritten (faults B5).
        if (index <= _log.Committed || !_log.Matches(index, _term)) return;
        CommitOwn(index);
        AfterCommit();
    }

    /// <summary>The leader's log is committed up to <paramref name="index"/>.</summary>
    void CommitOwn(ulong index)
    {
        for (var i = _log.Committed + 1; i <= index; i++) _uncommittedBytes -= RaftLog.SizeOf(_log[i]);
        _log.CommitTo(index);
    }

    void BroadcastHeartbeat()
    {
        _heartbeatElapsed = 0;
        foreach (var member in _members.All)
        {
            if (member == _members.Self) continue;

            // Capped by match: beyond it the follower's log may be another one.
            var commit = Math.Min(_log.Committed, member.Match);
            Send(NewMessage(member.Uid, new Heartbeat { LeaderCommit = commit, ReadContext = _reads.Context }));
        }
    }

    void HandleHeartbeat(Heartbeat heartbeat, NodeUid from)
    {
        FollowLeader(from);

        // It is capped by what this replica acknowledged, which a suspect one may hold no more.
        if (!IsSuspect) _log.CommitTo(heartbeat.LeaderCommit);
        Send(NewMessage(from, new HeartbeatResponse { ReadContext = heartbeat.ReadContext, Inquiry = _inquiry }));
    }

    void HandleHeartbeatResponse(HeartbeatResponse response, Progress from)
    {
        if (_role != RaftRole.Leader) return;
        from.HeardAtTick = _ticks;
        from.Paused = false;
        NoteInquiry(response.Inquiry, from);

        // It lives, and still lacks something: an append may have been lost.
        if (from.Match < _log.LastIndex || from.State == ProgressState.Probe) from.Nudge = _maySend = true;
        ConfirmReads(response, from);
    }
}
