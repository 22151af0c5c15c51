using ActorCluster.Protocol;
using ActorCluster.Protocol.Raft;

namespace ActorCluster.Raft.Storage;

/// <summary>
/// What the log knows of one group: its live entries and in which segments they are. Both writing and recovery go
/// through it, so that they cannot disagree about what is superseded. The entries are the objects that the group's
/// core holds in memory as well, so what they cost here is a reference each.
/// Invariant: the live entries are <see cref="Base"/> + 1 … <see cref="Last"/>; runs are ordered and cover exactly them.
/// </summary>
sealed class GroupTail(GroupId group, GroupConfig config)
{
    readonly List<Run> _runs = [];
    readonly List<Entry> _entries = [];

    public GroupId Group { get; } = group;

    /// <summary>Its first configuration; without voters while recovery has not found it.</summary>
    public GroupConfig Config { get; set; } = config;

    /// <summary>Why the replica is suspect; null when it is not.</summary>
    public Suspicion? Suspicion { get; set; }

    /// <summary>Who gave the group another configuration by hand, when and why; null when nobody did.</summary>
    public string? ForcedRecovery { get; set; }

    public HardState HardState { get; set; }

    public SnapshotMeta? Snapshot { get; private set; }

    /// <summary>Index before the first live entry.</summary>
    public ulong Base { get; private set; }

    /// <summary>Index of the last live entry; <see cref="Base"/> when there is none.</summary>
    public ulong Last { get; private set; }

    /// <summary>Term of the last entry, or of the snapshot when the log ends with it; 0 when the log is empty.</summary>
    public ulong LastTerm { get; private set; }

    /// <summary>The live entries.</summary>
    public IReadOnlyList<Entry> Entries => _entries;

    /// <summary>The oldest segment that holds a live entry; null when there is none.</summary>
    public ulong? OldestSegment => _runs.Count == 0 ? null : _runs[0].Segment;

    /// <summary>Stores an entry. What was stored at or above its index is superseded. False: it would leave a gap.</summary>
    public bool TryAppend(Entry entry, ulong segment)
    {
        var index = entry.Index;
        if (index == 0 || index > Last + 1) return false;
        if (index <= Last)
        {
            while (_runs.Count > 0 && _runs[^1].First >= index) _runs.RemoveAt(_runs.Count - 1);
            Base = Math.Min(Base, index - 1);
            var live = (int)(index - Base - 1);
            _entries.RemoveRange(live, _entries.Count - live);
        }
        if (_runs.Count == 0 || _runs[^1].Segment != segment) _runs.Add(new Run(index, segment));
        _entries.Add(entry);
        Last = index;
        LastTerm = entry.Term;
        return true;
    }

    /// <summary>All live entries have been written again, into this segment.</summary>
    public void MoveTo(ulong segment)
    {
        _runs.Clear();
        if (_entries.Count > 0) _runs.Add(new Run(Base + 1, segment));
    }

    /// <summary>Does the log hold the entry (index, term), or end its snapshot with it?</summary>
    public bool Contains(ulong index, ulong term)
    {
        if (Snapshot is { } snapshot && snapshot.Index == index) return snapshot.Term == term;
        return index > Base && index <= Last && _entries[(int)(index - Base - 1)].Term == term;
    }

    /// <summary>A snapshot covers the log up to its index; <paramref name="replacesLog"/>: nothing stored before it is live.</summary>
    public void Cover(SnapshotMeta snapshot, bool replacesLog)
    {
        Snapshot = snapshot;
        if (replacesLog || snapshot.Index >= Last)
        {
            _runs.Clear();
            _entries.Clear();
            Base = Last = snapshot.Index;
            LastTerm = snapshot.Term;
        }
        else if (snapshot.Index > Base)
        {
            var first = _runs.FindLastIndex(r => r.First <= snapshot.Index + 1);
            _runs.RemoveRange(0, first);
            _runs[0] = _runs[0] with { First = snapshot.Index + 1 };
            _entries.RemoveRange(0, (int)(snapshot.Index - Base));
            Base = snapshot.Index;
        }
    }

    /// <summary>
    /// The log begins in the middle of the group: its earlier entries were in segments that are gone because a snapshot
    /// covers them, which a later record must confirm.
    /// </summary>
    public void StartAfter(ulong index, ulong term)
    {
        _runs.Clear();
        _entries.Clear();
        Base = Last = index;
        LastTerm = term;
    }

    /// <summary>Nothing of the log can be used but the snapshot, if there is one.</summary>
    public void StartOver() => StartAfter(Snapshot?.Index ?? 0, Snapshot?.Term ?? 0);

    /// <summary>Not even the snapshot is there.</summary>
    public void LoseSnapshot()
    {
        Snapshot = null;
        StartOver();
    }

    /// <summary>Entries from <paramref name="First"/> up to the next run, or to the end, are in the segment.</summary>
    readonly record struct Run(ulong First, ulong Segment);
}
