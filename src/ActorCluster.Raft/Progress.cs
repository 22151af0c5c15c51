using ActorCluster.Protocol;

namespace ActorCluster.Raft;

/// <summary>How a leader treats a follower.</summary>
enum ProgressState
{
    /// <summary>Where the logs meet is not known: one append at a time.</summary>
    Probe,

    /// <summary>The logs meet at match: appends are pipelined.</summary>
    Replicate,

    /// <summary>A snapshot is under way: no appends.</summary>
    Snapshot,
}

/// <summary>What a leader knows of one replica's log. Invariant: match &lt; next.</summary>
sealed class Progress(NodeUid uid, Inflights inflights)
{
    const long Never = long.MinValue;

    public NodeUid Uid { get; } = uid;

    /// <summary>A voter of the configuration; of a joint one, of its new half.</summary>
    public bool IsIncoming { get; set; }

    /// <summary>A voter of the old half of a joint configuration.</summary>
    public bool IsOutgoing { get; set; }

    public bool IsVoter => IsIncoming || IsOutgoing;

    public Inflights Inflights { get; } = inflights;
    public ProgressState State { get; private set; }

    /// <summary>The replica's log equals the leader's up to here, durably.</summary>
    public ulong Match { get; set; }

    /// <summary>Match as far as it may help to commit something: nothing while the replica is suspect.</summary>
    public ulong CountedMatch => Inquiry == 0 ? Match : 0;

    /// <summary>The replica is suspect and asks where the log ends; 0 when it is not.</summary>
    public ulong Inquiry { get; set; }

    /// <summary>The next entry to send.</summary>
    public ulong Next { get; set; }

    /// <summary>The highest commit index sent to it.</summary>
    public ulong SentCommit { get; set; }

    /// <summary>The tick at which it last answered in this term; far in the past when never.</summary>
    public long HeardAtTick { get; set; } = Never;

    /// <summary>Probe: a message is under way.</summary>
    public bool Paused { get; set; }

    /// <summary>Something may have been lost: send an append even when there is nothing new, to learn of it.</summary>
    public bool Nudge { get; set; }

    /// <summary>Snapshot: the index it stands for.</summary>
    public ulong SnapshotIndex { get; private set; }

    /// <summary>Snapshot: ticks without progress.</summary>
    public int SnapshotIdleTicks { get; set; }

    /// <summary>The newest read context that it confirmed.</summary>
    public ulong ConfirmedReadContext { get; set; }

    /// <summary>Learner: the round of catching up is done when match is here; 0 before the first round.</summary>
    public ulong CatchUpTo { get; set; }

    /// <summary>Learner: when the round began.</summary>
    public long CatchUpSinceTick { get; set; }

    /// <summary>Learner: it once held what the log held less than an election timeout before.</summary>
    public bool HasCaughtUp { get; set; }

    /// <summary>Its answer in the current election.</summary>
    public bool? VoteGranted { get; set; }

    public void ResetForLeader(ulong next, ulong match)
    {
        Match = match;
        Next = next;
        SentCommit = 0;
        ConfirmedReadContext = 0;
        HeardAtTick = Never;
        Nudge = false;
        CatchUpTo = 0;
        HasCaughtUp = false;
        Inquiry = 0;
        EnterState(ProgressState.Probe);
    }

    public void BecomeProbe()
    {
        // After a snapshot the follower stands at least where the snapshot does, if it arrived.
        Next = State == ProgressState.Snapshot ? Math.Max(Match, SnapshotIndex) + 1 : Match + 1;
        EnterState(ProgressState.Probe);
    }

    public void BecomeReplicate()
    {
        EnterState(ProgressState.Replicate);
        Next = Match + 1;
    }

    public void BecomeSnapshot(ulong snapshotIndex)
    {
        EnterState(ProgressState.Snapshot);
        SnapshotIndex = snapshotIndex;
    }

    /// <summary>It lost what it acknowledged: where the logs meet is not known any more.</summary>
    public void Distrust()
    {
        Match = 0;
        SentCommit = 0;
        Nudge = true;
        if (State == ProgressState.Replicate) EnterState(ProgressState.Probe);
    }

    /// <summary>The snapshot did not arrive.</summary>
    public void AbortSnapshot() => SnapshotIndex = 0;

    /// <summary>An append was accepted up to <paramref name="match"/>; returns whether that is news.</summary>
    public bool TryAdvance(ulong match)
    {
        Next = Math.Max(Next, match + 1);
        if (match <= Match) return false;
        Match = match;
        Paused = false;
        return true;
    }

    /// <summary>
    /// An append after <paramref name="rejected"/> was refused; go on at <paramref name="next"/>. Returns false when the
    /// answer is an old one.
    /// </summary>
    public bool TryBackUp(ulong rejected, ulong next)
    {
        switch (State)
        {
            case ProgressState.Replicate:
                if (rejected <= Match) return false;
                BecomeProbe();
                return true;
            case ProgressState.Probe:
                if (Next - 1 != rejected) return false;
                Next = Math.Max(Math.Min(rejected, next), Match + 1);
                Paused = false;
                return true;
            default:
                return false;
        }
    }

    void EnterState(ProgressState state)
    {
        State = state;
        Paused = false;
        SnapshotIndex = 0;
        SnapshotIdleTicks = 0;
        Inflights.Clear();
    }
}
