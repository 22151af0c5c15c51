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

    /// <summary>Requests for other members that the actor has not answered: few, ended when it stops.</summary>
    readonly ConcurrentDictionary<TaskCompletionSource<MembershipChange>, bool> _changes = new();

    volatile GroupStatus _status = initial;
    volatile string? _closed;
    volatile bool _retired;
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

    public Task<MembershipChange> ChangeMembersAsync(IReadOnlyCollection<NodeUid> voters, IReadOnlyCollection<NodeUid> learners)
    {
        GroupConfigs.Of(voters, learners); // refused here, not in the actor's turn
        if (_closed is not null) return Task.FromResult(MembershipChange.NotLeader);
        var answer = new TaskCompletionSource<MembershipChange>(TaskCreationOptions.RunContinuationsAsynchronously);
        _changes[answer] = true;
        root.Send(Pid!, new ChangeMembers(voters, learners, answer));
        if (_closed is not null) EndChanges();
        return answer.Task;
    }

    /// <summary>The actor has answered.</summary>
    public void Answered(TaskCompletionSource<MembershipChange> answer) => _changes.TryRemove(answer, out _);

    /// <summary>The actor is done with so many.</summary>
    public void Release(Pending pending) => Interlocked.Decrement(ref pending is PendingProposal ? ref _proposals : ref _reads);

    /// <summary>The actor takes the next piece of submitted work.</summary>
    public bool TryTake(out Pending? pending) => _submitted.TryDequeue(out pending);

    /// <summary>From now on a submission sends a wake-up again. Called before the queue is drained.</summary>
    public void BeginTaking() => Interlocked.Exchange(ref _wakeUpSent, 0);

    /// <summary>At most one tick waits in the mailbox: after a pause, time goes on, it does not catch up.</summary>
    public void SendTick()
    {
        if (!_retired && Interlocked.Exchange(ref _tickSent, 1) == 0) root.Send(Pid!, TickPassed.Instance);
    }

    public bool IsRetired => _retired;

    public void Retire() => _retired = true;

    public void Resume() => _retired = false;

    public void TickTaken() => Interlocked.Exchange(ref _tickSent, 0);

    /// <summary>No more work is taken; what waits is refused. It never reached a log.</summary>
    public void Close(string reason)
    {
        _closed ??= reason;

        // A submission that does not see the reason must be seen by this drain.
        Interlocked.MemoryBarrier();
        while (_submitted.TryDequeue(out var pending)) Turn(pending);
        EndChanges();
    }

    void EndChanges()
    {
        foreach (var answer in _changes.Keys) answer.TrySetResult(MembershipChange.NotLeader);
        _changes.Clear();
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
