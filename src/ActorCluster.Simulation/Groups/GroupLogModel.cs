using ActorCluster.Raft;
using ActorCluster.Raft.Storage;

namespace ActorCluster.Simulation.Groups;

/// <summary>
/// What one node's disk must hold of one group: the plain meaning of the writes handed to the log, without any file.
/// Compared with what recovery finds (faults A5, A6: a superseded entry must never come back).
/// </summary>
sealed class GroupLogModel
{
    readonly List<LogWrite> _unsynced = [];
    readonly List<ulong> _terms = [];

    /// <summary>What a suspect replica held before its log was damaged: it is bound to that until it is trusted again.</summary>
    GroupLogModel? _before;

    /// <summary>Term and vote that are durable.</summary>
    public HardState HardState { get; private set; }

    /// <summary>The durable log follows this.</summary>
    public ulong SnapshotIndex { get; private set; }

    public ulong SnapshotTerm { get; private set; }

    public ulong LastIndex => SnapshotIndex + (ulong)_terms.Count;

    /// <summary>Whether this disk is bound to hold the entry, in its log or in its snapshot.</summary>
    public bool Holds(ulong index, ulong term) => index <= SnapshotIndex || TermAt(index) == term || _before?.Holds(index, term) == true;

    /// <summary>Damage was found, and no leader has repaired the replica yet.</summary>
    public bool IsSuspect { get; private set; }

    public ulong? TermAt(ulong index) =>
        index == SnapshotIndex ? SnapshotTerm :
        index > SnapshotIndex && index <= LastIndex ? _terms[(int)(index - SnapshotIndex - 1)] : null;

    public void Append(LogWrite write)
    {
        _unsynced.Add(write);
        if (write.Trusted) IsSuspect = false;
    }

    /// <summary>Whether it promised to hold the entry before it was damaged.</summary>
    public bool PromisedBefore(ulong index, ulong term) => _before?.Holds(index, term) == true;

    /// <summary>All writes but the last few, which are still queued, are durable.</summary>
    public void Sync(int queued)
    {
        foreach (var write in _unsynced.SkipLast(queued)) Apply(write);
        _unsynced.RemoveRange(0, _unsynced.Count - queued);
    }

    /// <summary>Checks what a restart found against what must, and what may, be there; then takes it as durable.</summary>
    /// <param name="found">What the node's storage says.</param>
    /// <param name="isCommitted">Whether the cluster committed an entry (index, term).</param>
    /// <param name="check">Reports what does not hold.</param>
    public void Recover(RecoveredGroup found, Func<ulong, ulong, bool> isCommitted, Action<bool, string> check)
    {
        var hardStates = _unsynced.Where(w => w.HardState is not null).Select(w => w.HardState!.Value).Prepend(HardState).ToList();
        // A snapshot may be durable before the log is: then it raises the term, in which no vote was durable.
        var raisedBySnapshot = found.HardState.Vote.IsNone && found.HardState.Term == found.Snapshot?.Term && HardState.Term < found.HardState.Term;
        check(
            raisedBySnapshot || hardStates.Any(h => h.Term == found.HardState.Term && h.Vote == found.HardState.Vote),
            $"recovered term {found.HardState.Term} vote {found.HardState.Vote}, written were {string.Join(", ", hardStates)}");

        if (found.Suspicion is not null)
        {
            RecoverSuspect(found, isCommitted, check);
            return;
        }

        _before = null;
        IsSuspect = false;

        // From here on an unsynced write may have superseded what was durable.
        var firstSuperseded = _unsynced.Where(w => w.Entries.Count > 0).Select(w => w.Entries[0].Index).Append(ulong.MaxValue).Min();
        var start = found.Snapshot?.Index ?? 0;
        // A newer one than the durable mark: saved, and the mark lost with the crash. It is a committed state all the same.
        check(
            start == SnapshotIndex ? (found.Snapshot?.Term ?? 0) == SnapshotTerm : start > SnapshotIndex && isCommitted(start, found.Snapshot!.Term),
            $"recovered a log that follows snapshot {start}, the durable mark was {SnapshotIndex}");
        var replaced = start > SnapshotIndex && TermAt(start) != found.Snapshot!.Term;
        var last = start + (ulong)found.Entries.Count;
        for (var index = Math.Max(start, SnapshotIndex) + 1; index <= LastIndex && index < firstSuperseded && !replaced; index++)
        {
            check(index <= last, $"entry {index} was durable and is gone; the recovered log ends at {last}");
            check(
                found.Entries[(int)(index - start - 1)].Term == TermAt(index),
                $"entry {index} was durable with term {TermAt(index)} and is recovered with term {found.Entries[(int)(index - start - 1)].Term}");
        }

        foreach (var entry in found.Entries)
        {
            var known = TermAt(entry.Index) == entry.Term || _unsynced.Any(w => w.Entries.Any(e => e.Index == entry.Index && e.Term == entry.Term));
            check(known, $"entry {entry.Index} of term {entry.Term} came back from the dead");
        }

        Take(found);
    }

    /// <summary>It may have lost anything of its log; not its term and vote, and what it still has of committed state is right.</summary>
    void RecoverSuspect(RecoveredGroup found, Func<ulong, ulong, bool> isCommitted, Action<bool, string> check)
    {
        check(!found.Suspicion!.TermIsLost, "term and vote are lost in both copies");
        check(found.Snapshot is null || isCommitted(found.Snapshot.Index, found.Snapshot.Term), $"its snapshot {found.Snapshot} is not committed");
        var before = new GroupLogModel { SnapshotIndex = SnapshotIndex, SnapshotTerm = SnapshotTerm, _before = _before };
        before._terms.AddRange(_terms);
        _before = before;
        IsSuspect = true;
        Take(found);
    }

    void Take(RecoveredGroup found)
    {
        _unsynced.Clear();
        _terms.Clear();
        HardState = found.HardState;
        SnapshotIndex = found.Snapshot?.Index ?? 0;
        SnapshotTerm = found.Snapshot?.Term ?? 0;
        foreach (var entry in found.Entries) _terms.Add(entry.Term);
    }

    void Apply(LogWrite write)
    {
        if (write.Trusted) _before = null;
        if (write.HardState is { } hardState) HardState = hardState;
        if (write.Snapshot is { } snapshot && snapshot.Index > SnapshotIndex)
        {
            if (TermAt(snapshot.Index) == snapshot.Term) _terms.RemoveRange(0, (int)(snapshot.Index - SnapshotIndex));
            else _terms.Clear();
            SnapshotIndex = snapshot.Index;
            SnapshotTerm = snapshot.Term;
        }

        if (write.Entries.Count == 0) return;
        var keep = (int)(write.Entries[0].Index - SnapshotIndex - 1);
        _terms.RemoveRange(keep, _terms.Count - keep);
        foreach (var entry in write.Entries) _terms.Add(entry.Term);
    }
}
