using ActorCluster.Protocol;

namespace ActorCluster.Raft;

/// <summary>What a replica's core is told once. Times are in ticks: the core knows no clock.</summary>
public sealed record RaftConfig(GroupId Group, NodeUid Self)
{
    /// <summary>A leader sends heartbeats every so many ticks.</summary>
    public int HeartbeatTicks { get; init; } = 2;

    /// <summary>
    /// The election timeout is drawn from [ElectionTicks, 2 × ElectionTicks) anew each time (paper, section 5.2). A follower
    /// that heard its leader less than ElectionTicks ago grants nobody a vote (thesis, section 6.2: leader stickiness), and a
    /// leader that did not hear a quorum within ElectionTicks steps down (check-quorum).
    /// </summary>
    public int ElectionTicks { get; init; } = 10;

    /// <summary>A leader whose own disk has not finished a write after so many ticks steps down (faults B8).</summary>
    public int StalledWriteTicks { get; init; } = 20;

    /// <summary>A snapshot on its way to a follower that shows no progress for so many ticks is given up.</summary>
    public int SnapshotTimeoutTicks { get; init; } = 100;

    /// <summary>A read that a follower forwarded and that got no answer in so many ticks is rejected, so that nobody hangs.</summary>
    public int ForwardedReadTicks { get; init; } = 20;

    /// <summary>Entries of one append message: their payload bytes together (a larger single entry travels alone).</summary>
    public int MaxAppendBytes { get; init; } = 1024 * 1024;

    /// <summary>Append messages to one follower that may be unanswered at a time.</summary>
    public int MaxInflightMessages { get; init; } = 128;

    /// <summary>Payload bytes to one follower that may be unanswered at a time.</summary>
    public long MaxInflightBytes { get; init; } = 8 * 1024 * 1024;

    /// <summary>Payload bytes in a leader's log that are not committed yet; beyond it proposals are refused as overload.</summary>
    public long MaxUncommittedBytes { get; init; } = 64 * 1024 * 1024;

    /// <summary>Committed entries given out by one Ready, so that a long catch-up does not stop the replica from answering.</summary>
    public int MaxCommittedEntriesPerReady { get; init; } = 1024;

    /// <summary>Payload bytes of committed entries given out by one Ready (a larger single entry comes alone).</summary>
    public long MaxCommittedBytesPerReady { get; init; } = 8 * 1024 * 1024;

    /// <summary>Reads that wait for confirmation at a time; beyond it reads are rejected.</summary>
    public int MaxPendingReads { get; init; } = 65536;

    /// <summary>Entries kept in memory below a snapshot, so that a follower that is a little behind needs no snapshot.</summary>
    public int KeepTailEntries { get; init; } = 1000;

    /// <summary>Payload bytes kept in memory below a snapshot, at most.</summary>
    public long KeepTailBytes { get; init; } = 8 * 1024 * 1024;

    /// <summary>Throws when a value cannot work, naming it.</summary>
    public RaftConfig Validated()
    {
        if (Self.IsNone) throw new ArgumentException("RaftConfig.Self must name a node");
        ArgumentOutOfRangeException.ThrowIfLessThan(HeartbeatTicks, 1);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(ElectionTicks, HeartbeatTicks);
        ArgumentOutOfRangeException.ThrowIfLessThan(StalledWriteTicks, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(SnapshotTimeoutTicks, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(ForwardedReadTicks, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxAppendBytes, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxInflightMessages, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxInflightBytes, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxUncommittedBytes, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxCommittedEntriesPerReady, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxCommittedBytesPerReady, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxPendingReads, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(KeepTailEntries);
        ArgumentOutOfRangeException.ThrowIfNegative(KeepTailBytes);
        return this;
    }
}
