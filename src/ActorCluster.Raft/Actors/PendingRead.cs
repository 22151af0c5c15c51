using ActorCluster.Protocol;

namespace ActorCluster.Raft.Actors;

/// <summary>A linearizable read and its waiter.</summary>
abstract class PendingRead : Pending
{
    /// <summary>Runs it on a state that has reached the confirmed index.</summary>
    public abstract void Run(IStateMachine stateMachine, ulong index);
}

/// <inheritdoc cref="PendingRead"/>
sealed class PendingRead<T>(Func<IStateMachine, T> read) : PendingRead
{
    readonly TaskCompletionSource<ReadResult<T>> _outcome = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task<ReadResult<T>> Outcome => _outcome.Task;

    public override void Run(IStateMachine stateMachine, ulong index)
    {
        if (_outcome.Task.IsCompleted) return;
        try
        {
            End(new ReadResult<T>(true, read(stateMachine), index, ErrorCode.None, NodeUid.None, ""));
        }
        catch (Exception e)
        {
            // The caller's own code; the group has nothing to do with it.
            if (_outcome.TrySetException(e)) StopObserving();
        }
    }

    public override void Refuse(ErrorCode error, NodeUid leader, string message) => End(new ReadResult<T>(false, default, 0, error, leader, message));

    protected override void OnCancelled() => Refuse(ErrorCode.DeadlineExceeded, NodeUid.None, "the deadline passed before the read was confirmed and applied");

    void End(in ReadResult<T> result)
    {
        if (_outcome.TrySetResult(result)) StopObserving();
    }
}
