using ActorCluster.Protocol;

namespace ActorCluster.Raft;

/// <summary>A read that waits: where it came from, and its id there.</summary>
readonly record struct PendingRead(NodeUid From, ulong ReadId);

/// <summary>
/// The leader's linearizable reads (thesis, section 6.4). One batch at a time is being confirmed by a round of heartbeats;
/// reads that arrive meanwhile form the next batch. Invariant: the heartbeats that confirm a read were sent after it
/// arrived. Contexts rise for the life of the core and are never used again (faults C2).
/// </summary>
sealed class ReadQueue
{
    readonly List<PendingRead> _open = [];
    readonly List<PendingRead> _confirming = [];
    ulong _lastContext;

    public int Count => _open.Count + _confirming.Count;
    public bool HasOpen => _open.Count > 0;
    public bool IsConfirming => _confirming.Count > 0;

    /// <summary>The context being confirmed, 0 when there is none.</summary>
    public ulong Context => IsConfirming ? _lastContext : 0;

    /// <summary>The commit index when the batch was closed: at or above that of each read's arrival.</summary>
    public ulong Index { get; private set; }

    public void Add(PendingRead read) => _open.Add(read);

    /// <summary>Closes the open batch; the heartbeats that carry its context must be sent from now on.</summary>
    public void BeginConfirming(ulong commitIndex)
    {
        Invariant.Check(!IsConfirming && HasOpen, "one batch of reads is confirmed at a time");
        _confirming.AddRange(_open);
        _open.Clear();
        _lastContext++;
        Index = commitIndex;
    }

    /// <summary>Takes the confirmed batch.</summary>
    public void TakeConfirmed(List<PendingRead> into)
    {
        into.AddRange(_confirming);
        _confirming.Clear();
    }

    /// <summary>Takes everything, confirmed or not.</summary>
    public void TakeAll(List<PendingRead> into)
    {
        TakeConfirmed(into);
        into.AddRange(_open);
        _open.Clear();
    }
}
