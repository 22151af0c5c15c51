using ActorCluster.Protocol;
using ActorCluster.Protocol.Raft;

namespace ActorCluster.Raft.Storage;

/// <summary>
/// What the log knows of one group without holding its entries: which indexes are live, their terms, and in which
/// segments they are. Both writing and recovery go through it, so that they cannot disagree about what is superseded.
/// Invariant: the live entries are <see cref="Base"/> + 1 … <see cref="Last"/>; runs are ordered and cover exactly them.
/// </summary>
sealed class GroupTail(GroupId group, GroupConfig config)
{
    readonly List<Run> _runs = [];

    public GroupId Group { get; } = group;

    public GroupConfig Config { get; } = config;

    public HardState HardState { get; set; }

    public SnapshotMeta? Snapshot { get; private set; }

    /// <summary>Index before the first live entry.</summary>
    public ulong Base { get; private set; }

    /// <summary>Index of the last live entry; <see cref="Base"/> when there is none.</summary>
    public ulong Last { get; private set; }

    /// <summary>Term of the last entry, or of the snapshot when the log ends with it; 0 when the log is empty.</summary>
    public ulong LastTerm { get; private set; }

    /// <summary>The oldest segment that holds a live entry; null when there is none.</summary>
    public ulong? OldestSegment => _runs.Count == 0 ? null : _runs[0].Segment;

    /// <summary>Stores an entry. What was stored at or above its index is superseded. False: it would leave a gap.</summary>
    public bool TryAppend(ulong index, ulong term, ulong segment)
    {
        if (index == 0 || index > Last + 1) return false;
        if (index <= Last)
        {
            while (_runs.Count > 0 && _runs[^1].First >= index) _runs.RemoveAt(_runs.Count - 1);
            Base = Math.Min(Base, index - 1);
        }
        if (_runs.Count == 0 || _runs[^1].Term != term || _runs[^1].Segment != segment) _runs.Add(new Run(index, term, segment));
        Last = index;
        LastTerm = term;
        return true;
    }

    /// <summary>Does the log hold the entry (index, term), or end its snapshot with it?</summary>
    public bool Contains(ulong index, ulong term)
    {
        if (Snapshot is { } snapshot && snapshot.Index == index) return snapshot.Term == term;
        if (index <= Base || index > Last) return false;
        var run = _runs.FindLastIndex(r => r.First <= index);
        return _runs[run].Term == term;
    }

    /// <summary>A snapshot covers the log up to its index; <paramref name="replacesLog"/>: nothing stored before it is live.</summary>
    public void Cover(SnapshotMeta snapshot, bool replacesLog)
    {
        Snapshot = snapshot;
        if (replacesLog || snapshot.Index >= Last)
        {
            _runs.Clear();
            Base = Last = snapshot.Index;
            LastTerm = snapshot.Term;
        }
        else if (snapshot.Index > Base)
        {
            var first = _runs.FindLastIndex(r => r.First <= snapshot.Index + 1);
            _runs.RemoveRange(0, first);
            _runs[0] = _runs[0] with { First = snapshot.Index + 1 };
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
        Base = Last = index;
        LastTerm = term;
    }

    readonly record struct Run(ulong First, ulong Term, ulong Segment);
}
