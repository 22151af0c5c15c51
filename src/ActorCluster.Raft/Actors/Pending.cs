using ActorCluster.Protocol;

namespace ActorCluster.Raft.Actors;

/// <summary>Something that a caller waits for at a group.</summary>
abstract class Pending
{
    CancellationTokenRegistration _cancellation;

    /// <summary>Lets the token end the wait.</summary>
    public void Observe(CancellationToken ct)
    {
        if (ct.CanBeCanceled) _cancellation = ct.UnsafeRegister(static p => ((Pending)p!).OnCancelled(), this);
    }

    /// <summary>Ended without having been handed to the core.</summary>
    public abstract void Refuse(ErrorCode error, NodeUid leader, string message);

    protected abstract void OnCancelled();

    protected void StopObserving() => _cancellation.Unregister();
}
