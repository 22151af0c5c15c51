using ActorCluster.Protocol;
using Google.Protobuf;

namespace ActorCluster.Raft.Actors;

/// <summary>
/// A proposal and its waiter. It is this proposal that was committed only if index and term are the ones it got: another leader
/// may have put another entry there (J08).
/// </summary>
sealed class PendingProposal(ByteString command) : Pending
{
    const int Waiting = 0;
    const int Submitted = 1;
    const int Withdrawn = 2;

    readonly TaskCompletionSource<ProposalResult> _outcome = new(TaskCreationOptions.RunContinuationsAsynchronously);
    int _state;

    public ByteString Command => command;
    public Task<ProposalResult> Outcome => _outcome.Task;
    public ulong Index { get; private set; }
    public ulong Term { get; private set; }

    /// <summary>Claims it for the log; false when the caller gave up before.</summary>
    public bool TrySubmit() => Interlocked.CompareExchange(ref _state, Submitted, Waiting) == Waiting;

    public void PlacedAt(ulong index, ulong term)
    {
        Index = index;
        Term = term;
    }

    public void Commit(object? value) => End(new ProposalResult(ProposalOutcome.Committed, Index, Term, value, ErrorCode.None, NodeUid.None, ""));

    public override void Refuse(ErrorCode error, NodeUid leader, string message) =>
        End(new ProposalResult(ProposalOutcome.NotExecuted, 0, 0, null, error, leader, message));

    /// <summary>It is in a log, and nobody here can say whether it will be committed.</summary>
    public void Abandon(ErrorCode error, NodeUid leader, string message) =>
        End(new ProposalResult(ProposalOutcome.Unknown, 0, 0, null, error, leader, message));

    protected override void OnCancelled()
    {
        if (Interlocked.CompareExchange(ref _state, Withdrawn, Waiting) == Waiting)
            Refuse(ErrorCode.DeadlineExceeded, NodeUid.None, "the deadline passed before the proposal entered the log");
        else
            Abandon(ErrorCode.DeadlineExceeded, NodeUid.None, "the deadline passed while the proposal was being committed");
    }

    void End(in ProposalResult result)
    {
        if (_outcome.TrySetResult(result)) StopObserving();
    }
}
