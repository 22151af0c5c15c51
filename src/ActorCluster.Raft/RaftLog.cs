using System.Runtime.InteropServices;
using ActorCluster.Protocol.Raft;
using Google.Protobuf.Collections;

namespace ActorCluster.Raft;

/// <summary>
/// The log in memory: entries after a base (index and term of the last entry that is gone, or 0), and how far each stage
/// of their life has come. Invariants: base ≤ applied ≤ delivered ≤ committed ≤ last; durable ≤ handed ≤ last; what is
/// committed is never truncated.
/// </summary>
sealed class RaftLog
{
    readonly List<Entry> _entries = [];
    ulong _baseIndex;
    ulong _baseTerm;

    public RaftLog(ulong baseIndex, ulong baseTerm, IReadOnlyList<Entry> entries)
    {
        _baseIndex = baseIndex;
        _baseTerm = baseTerm;
        foreach (var entry in entries) Append(entry);
        Handed = Durable = LastIndex;
    }

    public ulong BaseIndex => _baseIndex;
    public ulong FirstIndex => _baseIndex + 1;
    public ulong LastIndex => _baseIndex + (ulong)_entries.Count;
    public ulong LastTerm => _entries.Count == 0 ? _baseTerm : _entries[^1].Term;
    public LogEnd End => new(LastTerm, LastIndex);

    /// <summary>Payload bytes and overhead of the entries held.</summary>
    public long Bytes { get; private set; }

    public ulong Committed { get; private set; }

    /// <summary>Given out for applying up to here.</summary>
    public ulong Delivered { get; set; }

    /// <summary>Applied by the state machine up to here.</summary>
    public ulong Applied { get; set; }

    /// <summary>Handed to storage up to here.</summary>
    public ulong Handed { get; set; }

    /// <summary>On this node's disk, synced, up to here, in the log as it is now.</summary>
    public ulong Durable { get; set; }

    public static long SizeOf(Entry entry) => entry.Payload.Length + 48;

    public Entry? EntryAt(ulong index) => index > _baseIndex && index <= LastIndex ? this[index] : null;

    public Entry this[ulong index] => _entries[(int)(index - _baseIndex - 1)];

    /// <summary>The term at an index; null when it is compacted away or beyond the end.</summary>
    public ulong? TermAt(ulong index)
    {
        if (index == _baseIndex) return _baseTerm;
        return EntryAt(index)?.Term;
    }

    public bool Matches(ulong index, ulong term) => TermAt(index) == term;

    public void Append(Entry entry)
    {
        Invariant.Check(entry.Index == LastIndex + 1, $"entry {entry.Index} does not follow the log's end {LastIndex}");
        Invariant.Check(entry.Term >= LastTerm, $"term falls from {LastTerm} to {entry.Term} at entry {entry.Index}");
        _entries.Add(entry);
        Bytes += SizeOf(entry);
    }

    /// <summary>Removes the entries from <paramref name="index"/> on.</summary>
    public void Truncate(ulong index)
    {
        Invariant.Check(index > Committed, $"entry {index} is committed (up to {Committed}) and must never go");
        var keep = (int)(index - _baseIndex - 1);
        foreach (var entry in CollectionsMarshal.AsSpan(_entries)[keep..]) Bytes -= SizeOf(entry);
        _entries.RemoveRange(keep, _entries.Count - keep);
        Handed = Math.Min(Handed, index - 1);
        Durable = Math.Min(Durable, index - 1);
    }

    public void CommitTo(ulong index)
    {
        if (index <= Committed) return;
        Invariant.Check(index <= LastIndex, $"commit index {index} lies beyond the log's end {LastIndex}");
        Committed = index;
    }

    /// <summary>Forgets the entries up to <paramref name="index"/>.</summary>
    public void Compact(ulong index)
    {
        if (index <= _baseIndex) return;
        Invariant.Check(index <= Applied, $"entry {index} is not applied yet (up to {Applied})");
        var term = this[index].Term;
        var count = (int)(index - _baseIndex);
        foreach (var entry in CollectionsMarshal.AsSpan(_entries)[..count]) Bytes -= SizeOf(entry);
        _entries.RemoveRange(0, count);
        _baseIndex = index;
        _baseTerm = term;
    }

    /// <summary>Replaces everything by a snapshot that stands for the entries up to (index, term).</summary>
    public void Reset(ulong index, ulong term)
    {
        Invariant.Check(index > Committed, $"a snapshot at {index} would undo commits up to {Committed}");
        _entries.Clear();
        Bytes = 0;
        _baseIndex = index;
        _baseTerm = term;
        Committed = Delivered = Handed = index;
        Durable = Math.Min(Durable, index - 1);
    }

    /// <summary>Adds entries from <paramref name="from"/> on, at least one if there is one, up to a number of payload bytes.</summary>
    /// <returns>The bytes added.</returns>
    public long CopyTo(RepeatedField<Entry> target, ulong from, long maxBytes)
    {
        long bytes = 0;
        for (var index = from; index <= LastIndex; index++)
        {
            var entry = this[index];
            var size = SizeOf(entry);
            if (target.Count > 0 && bytes + size > maxBytes) break;
            target.Add(entry);
            bytes += size;
        }

        return bytes;
    }

    /// <summary>The entries that storage has not been handed yet.</summary>
    public Entry[] Unhanded() => _entries.GetRange((int)(Handed - _baseIndex), (int)(LastIndex - Handed)).ToArray();

    /// <summary>Payload bytes of the entries after <paramref name="index"/>.</summary>
    public long BytesAfter(ulong index)
    {
        long bytes = 0;
        for (var i = Math.Max(index, _baseIndex) + 1; i <= LastIndex; i++) bytes += SizeOf(this[i]);
        return bytes;
    }

    /// <summary>
    /// Where to go on after a refused append whose previous entry has another term here: the highest index below
    /// <paramref name="below"/> whose term is at most <paramref name="term"/> (paper, section 5.3).
    /// </summary>
    public ulong LastIndexOfTermAtMost(ulong term, ulong below)
    {
        var index = Math.Min(below - 1, LastIndex);
        while (index > _baseIndex && this[index].Term > term) index--;
        return index;
    }

    /// <summary>The first index of the run of equal terms that <paramref name="index"/> lies in, as far as the log holds it.</summary>
    public ulong FirstIndexOfTermAt(ulong index)
    {
        var term = this[index].Term;
        while (index > FirstIndex && this[index - 1].Term == term) index--;
        return index;
    }
}
