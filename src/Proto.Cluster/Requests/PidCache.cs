using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace Proto.Cluster;

/// <summary>
/// Where virtual actors were last found. An entry ends when its target answers with a dead letter, when its member leaves or its connection
/// is lost, when its activation is known to have ended, when nobody used it for the time to live, or when the cache is full and others were
/// used later. What a lookup found before such an end and brings after it is not taken in.
/// </summary>
public sealed class PidCache(TimeProvider time, int maxEntries)
{
    /// <summary>Ends that are remembered; a lookup that was overtaken by more of them is not taken in at all.</summary>
    internal const int MaxRememberedEnds = 1024;

    readonly ConcurrentDictionary<ClusterIdentity, Entry> _entries = [];
    readonly Lock _gate = new();
    readonly Queue<(long Epoch, string Address, string? Id)> _ends = new();
    long _epoch;
    int _count; // the dictionary's own count takes all of its locks, which would cost more than a whole request
    int _trimming;

    public int Count => Volatile.Read(ref _count);

    /// <summary>Grows whenever an activation or a member's address ends. Read it before a lookup.</summary>
    internal long Epoch => Volatile.Read(ref _epoch);

    public bool TryGet(ClusterIdentity clusterIdentity, [NotNullWhen(true)] out PID? pid) => TryGet(clusterIdentity, out pid, out _);

    internal bool TryGet(ClusterIdentity clusterIdentity, [NotNullWhen(true)] out PID? pid, out bool deduplicates)
    {
        if (_entries.TryGetValue(clusterIdentity, out var entry))
        {
            entry.LastUsed = time.GetTimestamp();
            (pid, deduplicates) = (entry.Pid, entry.Deduplicates);
            return true;
        }

        (pid, deduplicates) = (null, false);
        return false;
    }

    public bool TryAdd(ClusterIdentity clusterIdentity, PID pid) => TryAdd(clusterIdentity, pid, deduplicates: false, Epoch);

    /// <param name="clusterIdentity">The virtual actor.</param>
    /// <param name="pid">Its activation.</param>
    /// <param name="deduplicates">Whether the activation recognises repeated requests.</param>
    /// <param name="epoch">The <see cref="Epoch"/> before the PID was asked for.</param>
    internal bool TryAdd(ClusterIdentity clusterIdentity, PID pid, bool deduplicates, long epoch)
    {
        var entry = new Entry(pid, deduplicates, time.GetTimestamp());
        if (!_entries.TryAdd(clusterIdentity, entry)) return false;
        var count = Interlocked.Increment(ref _count);
        // Checked after adding: an end that comes now finds the entry.
        if (epoch != Epoch && HasEnded(pid, epoch))
        {
            TryRemove(clusterIdentity, entry);
            return false;
        }

        if (count > maxEntries) TrimToLimit();
        return true;
    }

    /// <summary>Replaces <paramref name="existingPid"/> and nothing else.</summary>
    public bool TryUpdate(ClusterIdentity clusterIdentity, PID newPid, PID existingPid) =>
        _entries.TryGetValue(clusterIdentity, out var entry)
        && entry.Pid.Equals(existingPid)
        && _entries.TryUpdate(clusterIdentity, new Entry(newPid, false, time.GetTimestamp()), entry);

    public bool TryRemove(ClusterIdentity clusterIdentity)
    {
        if (!_entries.TryRemove(clusterIdentity, out _)) return false;
        Interlocked.Decrement(ref _count);
        return true;
    }

    /// <summary>Removes the entry if it still has this PID.</summary>
    public bool RemoveByVal(ClusterIdentity clusterIdentity, PID pid) =>
        _entries.TryGetValue(clusterIdentity, out var entry)
        && entry.Pid.Equals(pid)
        && TryRemove(clusterIdentity, entry);

    public void RemoveByMember(Member member) => RemoveByAddress(member.Address);

    public void RemoveByAddress(string address)
    {
        End(address, null);
        Remove(entry => string.Equals(entry.Pid.Address, address, StringComparison.Ordinal));
    }

    public void RemoveByPredicate(Func<KeyValuePair<ClusterIdentity, PID>, bool> predicate)
    {
        foreach (var (identity, entry) in _entries)
        {
            if (predicate(KeyValuePair.Create(identity, entry.Pid))) TryRemove(identity, entry);
        }
    }

    /// <summary>Forgets what nobody used for <paramref name="timeToLive"/>; returns how many that were.</summary>
    public int RemoveIdle(TimeSpan timeToLive) => Remove(entry => time.GetElapsedTime(entry.LastUsed) > timeToLive);

    /// <summary>The activation has ended or is about to: it is neither used any more nor taken in again.</summary>
    internal void Ended(ClusterIdentity clusterIdentity, PID pid)
    {
        End(pid.Address, pid.Id);
        RemoveByVal(clusterIdentity, pid);
    }

    bool TryRemove(ClusterIdentity clusterIdentity, Entry entry)
    {
        if (!_entries.TryRemove(KeyValuePair.Create(clusterIdentity, entry))) return false;
        Interlocked.Decrement(ref _count);
        return true;
    }

    void End(string address, string? id)
    {
        lock (_gate)
        {
            _ends.Enqueue((_epoch + 1, address, id));
            if (_ends.Count > MaxRememberedEnds) _ends.Dequeue();
            // Published after the end itself: who reads this epoch began after it.
            Volatile.Write(ref _epoch, _epoch + 1);
        }
    }

    bool HasEnded(PID pid, long since)
    {
        lock (_gate)
        {
            // Some ends after it are forgotten: it may be among them.
            if (_ends.Count > 0 && _ends.Peek().Epoch > since + 1) return true;
            foreach (var (epoch, address, id) in _ends)
            {
                if (epoch > since && string.Equals(address, pid.Address, StringComparison.Ordinal)
                    && (id is null || string.Equals(id, pid.Id, StringComparison.Ordinal))) return true;
            }

            return false;
        }
    }

    int Remove(Func<Entry, bool> condition)
    {
        var removed = 0;
        foreach (var (identity, entry) in _entries)
        {
            if (condition(entry) && TryRemove(identity, entry)) removed++;
        }

        return removed;
    }

    /// <summary>Makes room for a tenth, taking the entries whose last use is longest ago.</summary>
    void TrimToLimit()
    {
        if (Interlocked.Exchange(ref _trimming, 1) != 0) return;
        try
        {
            var surplus = Count - (maxEntries - maxEntries / 10);
            // The dictionary's own copy: LINQ's asks for the size first, and fails when others add meanwhile.
            foreach (var (identity, entry) in _entries.ToArray().OrderBy(pair => pair.Value.LastUsed).Take(surplus)) TryRemove(identity, entry);
        }
        finally
        {
            Volatile.Write(ref _trimming, 0);
        }
    }

    sealed class Entry(PID pid, bool deduplicates, long lastUsed)
    {
        public readonly PID Pid = pid;
        public readonly bool Deduplicates = deduplicates;
        public long LastUsed = lastUsed;
    }
}
