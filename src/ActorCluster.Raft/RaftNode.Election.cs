using ActorCluster.Protocol;
using ActorCluster.Protocol.Raft;

namespace ActorCluster.Raft;

// Elections (paper, sections 5.2 and 5.4.1), pre-vote (thesis, section 9.6), leader stickiness (section 6.2), transfer (3.10).
public sealed partial class RaftNode
{
    /// <summary>After a lost split vote the better log tries again so soon.</summary>
    const int RivalRetryTicks = 2;

    /// <summary>Leader: the voter that is to take over, or None.</summary>
    NodeUid _transferee;

    int _transferTicks;

    /// <summary>The leader's lease against elections: it was heard less than the shortest election timeout ago.</summary>
    bool HoldsToLeader => _role == RaftRole.Leader || !_leader.IsNone && _electionElapsed < _config.ElectionTicks;

    /// <summary>Who was heard at this tick or later is active.</summary>
    long ActiveSince => _ticks - _config.ElectionTicks + 1;

    /// <summary>
    /// Whether this replica may start an election. One whose disk stands still could not make its own vote durable, and one that
    /// is to install a snapshot does not know its log yet.
    /// </summary>
    bool MayCampaign => IsElectable && _role != RaftRole.Leader && _snapshotToInstall is null && !WriteIsStalled;

    /// <summary>
    /// A hint: the connection to the leader broke and an immediate reconnect was refused. Stops holding to that leader and
    /// pre-votes after 0 or 1 ticks, drawn, so that two followers do not split the vote. A follower that is still connected
    /// goes on refusing, so a broken link at one follower moves nothing.
    /// </summary>
    public void LeaderLost(NodeUid leader)
    {
        if (leader.IsNone || _leader != leader || _role is not (RaftRole.Follower or RaftRole.Learner)) return;
        _leader = NodeUid.None;
        RejectForwardedReads();
        if (!IsElectable) return;
        _electionElapsed = _electionTimeout - _random.Next(2);
        if (_electionElapsed >= _electionTimeout && MayCampaign) CampaignAfterTimeout();
    }

    /// <summary>
    /// Hands leadership to a voter (None: the most up-to-date one). No proposals are taken until it is done or an election
    /// timeout has passed. False when this is not the leader or nobody is there to take it.
    /// </summary>
    public bool TransferLeadership(NodeUid to)
    {
        if (_role != RaftRole.Leader || to == Self) return false;
        var target = to.IsNone ? _members.MostUpToDateOther(ActiveSince) : _members.Find(to);
        if (target is not { IsIncoming: true, Inquiry: 0 }) return false;
        _transferee = target.Uid;
        _transferTicks = 0;
        _maySend = true;
        CompleteTransferTo(target);
        return true;
    }

    void CompleteTransferTo(Progress target)
    {
        if (target.Uid == _transferee && target.CountedMatch == _log.LastIndex) Send(NewMessage(target.Uid, new TimeoutNow()));
    }

    void HandleTimeoutNow()
    {
        if (MayCampaign && _role == RaftRole.Follower) BecomeCandidate(leaderTransfer: true);
    }

    void TickElection()
    {
        _electionElapsed++;
        if (_electionElapsed >= _electionTimeout && MayCampaign) CampaignAfterTimeout();
    }

    void CampaignAfterTimeout()
    {
        RejectForwardedReads();
        _role = RaftRole.PreCandidate;
        _leader = NodeUid.None;
        RestartElectionTimer();
        _members.ClearVotes();
        if (_members.Self is { } self) self.VoteGranted = true;
        if (_members.CountVotes() == VoteResult.Won)
        {
            BecomeCandidate(leaderTransfer: false);
            return;
        }

        foreach (var member in _members.All)
        {
            if (member.IsVoter && member != _members.Self) Send(VoteRequestTo(member.Uid, _term + 1, preVote: true, leaderTransfer: false));
        }
    }

    void BecomeCandidate(bool leaderTransfer)
    {
        RejectForwardedReads();
        _role = RaftRole.Candidate;
        _term++;
        _vote = Self;
        _leader = NodeUid.None;
        RestartElectionTimer();
        _members.ClearVotes();

        // The own vote counts only once it is durable, and the others are asked only then: a candidate that lost the end of its
        // log in a crash and campaigned again in the same term could be elected by answers to its first request.
        Promise(NewMessage(Self, new VoteResponse { Granted = true }));
        foreach (var member in _members.All)
        {
            if (member.IsVoter && member != _members.Self) Promise(VoteRequestTo(member.Uid, _term, preVote: false, leaderTransfer));
        }
    }

    RaftMessage VoteRequestTo(NodeUid to, ulong term, bool preVote, bool leaderTransfer)
    {
        var message = NewMessage(
            to,
            new VoteRequest { PreVote = preVote, LastLogIndex = _log.LastIndex, LastLogTerm = _log.LastTerm, LeaderTransfer = leaderTransfer });
        message.Term = term;
        return message;
    }

    void HandleVoteRequest(RaftMessage message, NodeUid from)
    {
        var request = message.VoteRequest;
        var candidate = new LogEnd(request.LastLogTerm, request.LastLogIndex);
        var mayVote = !IsSuspect && (request.PreVote && message.Term > _term || _vote == from || _vote.IsNone && _leader.IsNone);

        // Section 5.4.1: only a log that holds everything committed may lead.
        if (mayVote && candidate.IsAtLeast(_log.End))
        {
            if (!request.PreVote)
            {
                _vote = from;
                _electionElapsed = 0;
            }

            var response = NewMessage(from, new VoteResponse { PreVote = request.PreVote, Granted = true });
            response.Term = message.Term;
            Promise(response);
            return;
        }

        Send(NewMessage(from, new VoteResponse { PreVote = request.PreVote }));
        if (!request.PreVote && _role == RaftRole.Candidate) RetrySoonIfBetterThan(candidate, from);
    }

    /// <summary>
    /// Two candidates in one term: perhaps neither wins. Both know it at once, so the one with the better log (then the higher
    /// uid) need not wait a whole timeout before it tries again.
    /// </summary>
    void RetrySoonIfBetterThan(LogEnd rival, NodeUid rivalUid)
    {
        var order = _log.End.CompareTo(rival);
        if (order > 0 || order == 0 && Self.CompareTo(rivalUid) > 0)
            _electionTimeout = Math.Min(_electionTimeout, _electionElapsed + RivalRetryTicks);
    }

    void HandleVoteResponse(RaftMessage message, Progress from)
    {
        var response = message.VoteResponse;
        var expectedTerm = response is { PreVote: true, Granted: true } ? _term + 1 : _term;
        if (_role != (response.PreVote ? RaftRole.PreCandidate : RaftRole.Candidate) || message.Term != expectedTerm) return;
        CountVote(from, response.Granted);
    }

    void OwnVoteIsDurable()
    {
        if (_members.Self is { } self) CountVote(self, granted: true);
    }

    void CountVote(Progress from, bool granted)
    {
        // The first answer counts; a repeated message changes nothing.
        from.VoteGranted ??= granted;
        DecideElection();
    }

    void DecideElection()
    {
        switch (_members.CountVotes())
        {
            case VoteResult.Won when _role == RaftRole.PreCandidate:
                BecomeCandidate(leaderTransfer: false);
                break;
            case VoteResult.Won:
                BecomeLeader();
                break;
            case VoteResult.Lost when _role == RaftRole.PreCandidate:
                BecomeFollower(_term, NodeUid.None);
                break;
            case VoteResult.Lost:
                // Stays a candidate for the timer's sake: a rival in the same term may have set it short.
                break;
        }
    }

    void BecomeFollower(ulong term, NodeUid leader)
    {
        if (_role == RaftRole.Leader) LeaveLeadership();
        if (term != _term)
        {
            Invariant.Check(term > _term, $"term falls from {_term} to {term}");
            _term = term;
            _vote = NodeUid.None;
            _completeAt = null;
        }

        if (leader != _leader) RejectForwardedReads();
        _role = _members.SelfIsVoter ? RaftRole.Follower : RaftRole.Learner;
        _leader = leader;
        RestartElectionTimer();
    }

    /// <summary>The leader of this term was heard.</summary>
    void FollowLeader(NodeUid leader)
    {
        Invariant.Check(_role != RaftRole.Leader, $"{leader} claims to lead term {_term}, which this node leads");
        Invariant.Check(_leader.IsNone || _leader == leader, $"{leader} and {_leader} both claim to lead term {_term}");
        if (_leader != leader || _role is not (RaftRole.Follower or RaftRole.Learner)) BecomeFollower(_term, leader);
        else _electionElapsed = 0;
    }

    void RestartElectionTimer()
    {
        _electionElapsed = 0;
        _electionTimeout = _config.ElectionTicks + _random.Next(_config.ElectionTicks);
    }

    void BecomeLeader()
    {
        Invariant.Check(_role == RaftRole.Candidate, $"a {_role} cannot become leader");
        _role = RaftRole.Leader;
        _leader = Self;
        _electionElapsed = 0;
        _heartbeatElapsed = 0;
        _transferee = NodeUid.None;
        _uncommittedBytes = _log.BytesAfter(_log.Committed);
        foreach (var member in _members.All) member.ResetForLeader(_log.LastIndex + 1, member == _members.Self ? _log.Durable : 0);

        // Thesis, section 6.4, and paper, section 8: until an entry of its own term is committed a leader does not know the
        // commit index, and entries of older terms are committed only together with it.
        AppendToOwnLog(new Entry { Term = _term, Index = _log.LastIndex + 1, Kind = EntryKind.NoOp });
    }

    void LeaveLeadership()
    {
        _transferee = NodeUid.None;
        _targetConfig = null;
        _uncommittedBytes = 0;
        RejectQueuedReads();
    }

    void TickLeader()
    {
        if (WriteIsStalled)
        {
            StepDownForStalledDisk();
            return;
        }

        // Check-quorum: a leader that is cut off must not go on as if it led (thesis, section 6.2).
        if (++_electionElapsed >= _config.ElectionTicks && !_members.IsQuorumActive(ActiveSince))
        {
            BecomeFollower(_term, NodeUid.None);
            return;
        }

        if (!_transferee.IsNone && ++_transferTicks >= _config.ElectionTicks) _transferee = NodeUid.None;
        TickSnapshots();
        AdvanceMembership();
        _sendCommits = _maySend = true;
        if (++_heartbeatElapsed >= _config.HeartbeatTicks) BroadcastHeartbeat();
    }

    /// <summary>The own disk stands still (faults B8): whoever has the most of the log should lead instead.</summary>
    void StepDownForStalledDisk()
    {
        if (_members.MostUpToDateOther(ActiveSince) is { } successor) Send(NewMessage(successor.Uid, new TimeoutNow()));
        BecomeFollower(_term, NodeUid.None);
    }
}
