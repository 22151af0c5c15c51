using System.Collections.Concurrent;
using ActorCluster.Protocol;
using Google.Protobuf;
using Proto;

namespace ActorCluster.Raft.Actors;

/// <summary>
/// The way into a group actor. Work goes through a queue of its own and one mailbox message wakes the actor for all of it: that
/// batches, and what the actor has not taken when it stops is still ended by somebody.
/// </summary>
sealed class ReplicaGroup(GroupId id, IRootContext root, RaftOptions options, GroupStatus initial) : IReplicaGroup
{
    readonly ConcurrentQueue<Pending> _submitted = new();
    volatile GroupStatus _status = initial;
    volatile string? _closed;
    int _wakeUpSent;
    int _tickSent;
    int _proposals;
    int _reads;

    public GroupId Id => id;

    public PID? Pid { get; set; }

    public GroupStatus Status
    {
        get => _status;
        set => _status = value;
    }

    public Task<ProposalResult> ProposeAsync(ByteString command, CancellationToken ct)
    {
        var proposal = new PendingProposal(command);
        if (Interlocked.Increment(ref _proposals) > options.MaxPendingProposals)
        {
            Interlocked.Decrement(ref _proposals);
            proposal.Refuse(ErrorCode.Overloaded, NodeUid.None, $"{options.MaxPendingProposals} proposals of group {id} are waiting already");
            return proposal.Outcome;
        }

        proposal.Observe(ct);
        Submit(proposal);
        return proposal.Outcome;
    }

    public Task<ReadResult<T>> ReadAsync<T>(Func<IStateMachine, T> read, CancellationToken ct)
    {
        var pending = new PendingRead<T>(read);
        if (Interlocked.Increment(ref _reads) > options.MaxPendingReads)
        {
            Interlocked.Decrement(ref _reads);
            pending.Refuse(ErrorCode.Overloaded, NodeUid.None, $"{options.MaxPendingReads} reads of group {id} are waiting already");
            return pending.Outcome;
        }

        pending.Observe(ct);
        Submit(pending);
        return pending.Outcome;
    }

    /// <summary>The actor is done with so many.</summary>
    public void Release(Pending pending) => Interlocked.Decrement(ref pending is PendingProposal ? ref _proposals : ref _reads);

    /// <summary>The actor takes the next piece of submitted work.</summary>
    public bool TryTake(out Pending? pending) => _submitted.TryDequeue(out pending);

    /// <summary>From now on a submission sends a wake-up again. Called before the queue is drained.</summary>
    public void BeginTaking() => Interlocked.Exchange(ref _wakeUpSent, 0);

    /// <summary>At most one tick waits in the mailbox: after a pause, time goes on, it does not catch up.</summary>
    public void SendTick()
    {
        if (Interlocked.Exchange(ref _tickSent, 1) == 0) root.Send(Pid!, TickPassed.Instance);
    }

    public void TickTaken() => Interlocked.Exchange(ref _tickSent, 0);

    /// <summary>No more work is taken; what waits is refused. It never reached a log.</summary>
    public void Close(string reason)
    {
        _closed ??= reason;

        // A submission that does not see the reason must be seen by this drain.
        Interlocked.MemoryBarrier();
        while (_submitted.TryDequeue(out var pending)) Turn(pending);
    }

    void Submit(Pending pending)
    {
        _submitted.Enqueue(pending);
        if (_closed is { } reason)
        {
            Close(reason);
            return;
        }

        if (Interlocked.Exchange(ref _wakeUpSent, 1) == 0) root.Send(Pid!, WorkSubmitted.Instance);
    }

    void Turn(Pending pending)
    {
        Release(pending);
        pending.Refuse(ErrorCode.NodeStopping, NodeUid.None, _closed!);
    }
}
