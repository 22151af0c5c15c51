using ActorCluster.Protocol;
using ActorCluster.Protocol.Raft;

namespace ActorCluster.Raft.Actors;

// Proposals and their outcomes (guarantee G6), and handing leadership over.
sealed partial class RaftGroupActor
{
    /// <summary>Proposals of the term that this replica leads, by rising index.</summary>
    readonly Queue<PendingProposal> _proposals = new();

    /// <summary>Proposals of terms that it led before: their entries may still be committed, or others in their places.</summary>
    readonly List<PendingProposal> _orphans = [];

    long _abandonAtTick;

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

        if (_host.Log.IsShortOfSpace)
        {
            Refuse(proposal, ErrorCode.Overloaded, "the disk of this node is full");
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

    void RefuseForLeader(PendingProposal proposal)
    {
        if (_core.Leader.IsNone) Refuse(proposal, ErrorCode.NoQuorum, NoLeader);
        else Refuse(proposal, ErrorCode.NotLeader, "this replica does not lead");
    }

    string NoLeader => _core.Suspicion is { } suspicion ? $"no leader is known, and this replica is suspect: {suspicion}" : "no leader is known";

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
            else Replaced(proposal);
        }

        if (_orphans.Count > 0) EndOrphansAt(entry, value);
    }

    void EndOrphansAt(Entry entry, object? value)
    {
        for (var i = _orphans.Count - 1; i >= 0; i--)
        {
            var proposal = _orphans[i];
            if (proposal.Index != entry.Index) continue;
            _orphans.RemoveAt(i);
            _handle.Release(proposal);
            if (proposal.Term == entry.Term) proposal.Commit(value);
            else Replaced(proposal);
        }
    }

    void Replaced(PendingProposal proposal) =>
        proposal.Refuse(ErrorCode.NotLeader, _core.Leader, "leadership was lost and another entry was committed in its place");

    /// <summary>
    /// Leadership is lost. Removal of an entry from this log would prove nothing (paper, figure 8); what is committed in its place
    /// does. A replica that hears the new leader soon learns it: waits two election timeouts for that before it says Unknown.
    /// </summary>
    void OrphanProposals()
    {
        if (_proposals.Count == 0) return;
        _orphans.AddRange(_proposals);
        _proposals.Clear();
        _abandonAtTick = _ticks + 2 * _host.Options.ElectionTicks;
    }

    void TickProposals()
    {
        if (_orphans.Count > 0 && _ticks >= _abandonAtTick)
            AbandonOrphans(ErrorCode.NoQuorum, "leadership was lost before the proposal was known to be committed");
    }

    void AbandonOrphans(ErrorCode error, string message)
    {
        foreach (var proposal in _orphans)
        {
            _handle.Release(proposal);
            proposal.Abandon(error, _core.Leader, message);
        }

        _orphans.Clear();
    }

    void AbandonProposals(ErrorCode error, string message)
    {
        OrphanProposals();
        AbandonOrphans(error, message);
    }

    /// <summary>Done when another leads and everything proposed here has its outcome, or when that takes too long.</summary>
    void BeginHandOver(HandOver request)
    {
        _handOverTicks = 0;
        _handingOver = request.Done;
        if (_core.Role == RaftRole.Leader && !_core.TransferLeadership(NodeUid.None)) EndHandOver(); // nobody is there to take it
        else MaybeEndHandOver();
    }

    void MaybeEndHandOver()
    {
        if (_core.Role != RaftRole.Leader && _proposals.Count == 0 && _orphans.Count == 0) EndHandOver();
    }

    void TickHandOver()
    {
        if (_handingOver is not null && ++_handOverTicks >= _host.Options.ElectionTicks) EndHandOver();
    }

    void EndHandOver()
    {
        _handingOver?.TrySetResult();
        _handingOver = null;
    }
}
