using ActorCluster.Protocol;
using ActorCluster.Protocol.Raft;

namespace ActorCluster.Raft.Actors;

// Proposals and their outcomes (guarantee G6), and handing leadership over.
sealed partial class RaftGroupActor
{
    /// <summary>Proposals in the log, by rising index.</summary>
    readonly Queue<PendingProposal> _proposals = new();

    /// <summary>When leadership was lost with proposals under way: until then their entries may still be seen committed.</summary>
    long _abandonAtTick = long.MaxValue;

    int _handOverTicks;
    ulong _appliedEntries;

    void TakeSubmitted(Action<PendingProposal> take)
    {
        _handle.BeginTaking();
        while (_handle.TryTake(out var pending))
        {
            if (pending is PendingRead read) QueueRead(read);
            else take((PendingProposal)pending!);
        }
    }

    void Propose(PendingProposal proposal)
    {
        if (_host.Log.IsCongested)
        {
            Refuse(proposal, ErrorCode.Overloaded, "the node's log has more to write than its disk takes");
            return;
        }

        if (!proposal.TrySubmit())
        {
            _handle.Release(proposal);
            return;
        }

        var receipt = _core.Propose(proposal.Command);
        switch (receipt.Refusal)
        {
            case ProposalRefusal.None:
                proposal.PlacedAt(receipt.Index, receipt.Term);
                _proposals.Enqueue(proposal);
                break;
            case ProposalRefusal.Overloaded:
                Refuse(proposal, ErrorCode.Overloaded, $"{_host.Options.MaxUncommittedBytes} bytes of group {_core.Group} wait for commit already");
                break;
            case ProposalRefusal.Transferring:
                Refuse(proposal, ErrorCode.NotLeader, "the leader is handing leadership over");
                break;
            default:
                RefuseForLeader(proposal);
                break;
        }
    }

    void RefuseForLeader(PendingProposal proposal) =>
        Refuse(proposal, _core.Leader.IsNone ? ErrorCode.NoQuorum : ErrorCode.NotLeader, _core.Leader.IsNone ? "no leader is known" : "this replica does not lead");

    void RefuseForElection(PendingProposal proposal) => Refuse(proposal, ErrorCode.NoQuorum, "an election is under way");

    void Refuse(PendingProposal proposal, ErrorCode error, string message)
    {
        _handle.Release(proposal);
        proposal.Refuse(error, _core.Leader, message);
    }

    /// <summary>
    /// An entry is committed and applied. A proposal of ours at its index is this one if the term is the same; otherwise another
    /// entry was committed in its place, so it never will be (state machine safety, paper section 5.4.3).
    /// </summary>
    void EndProposalsAt(Entry entry, object? value)
    {
        while (_proposals.TryPeek(out var proposal) && proposal.Index <= entry.Index)
        {
            _proposals.Dequeue();
            _handle.Release(proposal);
            Invariant.Check(proposal.Index == entry.Index, $"entry {proposal.Index} was passed over by {entry.Index}");
            if (proposal.Term == entry.Term) proposal.Commit(value);
            else proposal.Refuse(ErrorCode.NotLeader, _core.Leader, "leadership was lost and another entry was committed in its place");
        }
    }

    /// <summary>
    /// A replica that leads no more soon learns what became of its proposals if it hears the new leader: waits two election timeouts
    /// for that before it says Unknown.
    /// </summary>
    void TickProposals()
    {
        if (_core.Role == RaftRole.Leader && (_proposals.Count == 0 || _proposals.Peek().Term == _core.Term)) _abandonAtTick = long.MaxValue;
        else if (_proposals.Count == 0) _abandonAtTick = long.MaxValue;
        else if (_abandonAtTick == long.MaxValue) _abandonAtTick = _ticks + 2 * _host.Options.ElectionTicks;
        else if (_ticks >= _abandonAtTick) AbandonProposals(ErrorCode.NoQuorum, "leadership was lost before the proposal was known to be committed");
    }

    void AbandonProposals(ErrorCode error, string message)
    {
        while (_proposals.TryDequeue(out var proposal))
        {
            _handle.Release(proposal);
            proposal.Abandon(error, _core.Leader, message);
        }
    }

    void BeginHandOver(HandOver request)
    {
        if (!_core.TransferLeadership(NodeUid.None))
        {
            request.Done.TrySetResult(); // nobody is there to take it
            return;
        }

        _handOverTicks = 0;
        _handingOver = request.Done;
    }

    void EndHandOver()
    {
        _handingOver?.TrySetResult();
        _handingOver = null;
    }
}
