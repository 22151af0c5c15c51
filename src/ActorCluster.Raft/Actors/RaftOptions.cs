namespace ActorCluster.Raft.Actors;

/// <summary>Settings of all groups of a node.</summary>
public sealed record RaftOptions
{
    /// <summary>Length of a tick.</summary>
    public TimeSpan Tick { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>Ticks between heartbeats.</summary>
    public int HeartbeatTicks { get; init; } = 2;

    /// <summary>The election timeout is drawn from this many to twice as many ticks.</summary>
    public int ElectionTicks { get; init; } = 10;

    /// <summary>A group takes a snapshot after so many entries since the last one.</summary>
    public int SnapshotEntries { get; init; } = 10_000;

    /// <summary>
    /// A group takes a snapshot when its entries since the last one weigh more than that snapshot, but not before they weigh this
    /// many bytes.
    /// </summary>
    public long SnapshotBytes { get; init; } = 32 * 1024 * 1024;

    /// <summary>Entries kept in memory below a snapshot for followers that are a little behind.</summary>
    public int KeepTailEntries { get; init; } = 1000;

    /// <summary>Bytes of snapshot content in one message; one message is under way at a time.</summary>
    public int SnapshotChunkBytes { get; init; } = 256 * 1024;

    /// <summary>A chunk that is not answered is sent again after so many ticks.</summary>
    public int SnapshotResendTicks { get; init; } = 20;

    /// <summary>Where arriving snapshots are put together. Nothing there survives the process.</summary>
    public string ScratchDirectory { get; init; } = Path.GetTempPath();

    /// <summary>Proposals of one group that have no outcome yet; beyond it they are refused as Overloaded.</summary>
    public int MaxPendingProposals { get; init; } = 16_384;

    /// <summary>Reads of one group that have no outcome yet; beyond it they are refused as Overloaded.</summary>
    public int MaxPendingReads { get; init; } = 65_536;

    /// <summary>Payload bytes of one group that are in a leader's log and not committed.</summary>
    public long MaxUncommittedBytes { get; init; } = 64 * 1024 * 1024;

    /// <summary>Where snapshots are written: work that blocks, and must not hold up an actor.</summary>
    public TaskScheduler BlockingWork { get; init; } = TaskScheduler.Default;
}
