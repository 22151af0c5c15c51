namespace ActorCluster.Raft.Storage;

/// <summary>The log as the groups' actors see it: hand in a write, be told when it is durable.</summary>
public interface ILogWriter
{
    /// <summary>
    /// Queues a write. Writes of one group become durable in the order handed in. <paramref name="onDurable"/> runs on
    /// the writer's thread after the sync that covers the write, and must only post a message.
    /// </summary>
    void Submit(LogWrite write, Action onDurable);

    /// <summary>
    /// Faults, with the error, when the log failed and the node must stop. From then on no write is ever reported durable.
    /// </summary>
    Task Failed { get; }

    /// <summary>
    /// More is queued than the disk takes in reasonable time. Proposals are refused while it holds (<c>Overloaded</c>);
    /// votes, acknowledgements and what is already in flight still go in. Safe from any thread.
    /// </summary>
    bool IsCongested => false;

    /// <summary>
    /// So much is queued that followers must take no more entries either: an append is dropped as if the network had lost
    /// it, and the leader sends it again. Without that a disk that hangs would let the queue grow with every group (G9).
    /// </summary>
    bool IsFull => false;

    /// <summary>
    /// The disk is full: no proposals are taken until there is room again. Elections, reads and what is in flight go on from a reserve.
    /// Safe from any thread.
    /// </summary>
    bool IsShortOfSpace => false;

    /// <summary>The disk is full and half of the reserve is used: followers take no more commands either. Safe from any thread.</summary>
    bool IsNearlyOutOfSpace => false;
}
