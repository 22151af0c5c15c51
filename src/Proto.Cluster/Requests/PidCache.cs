using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace Proto.Cluster;

/// <summary>
/// Where virtual actors were last found. An entry ends when its target answers with a dead letter, when its member leaves or its connection
/// is lost, when nobody used it for the time to live, or when the cache is full and others were used later.
/// </summary>
public sealed class PidCache(TimeProvider time, int maxEntries)
{
    readonly ConcurrentDictionary<ClusterIdentity, Entry> _entries = [];
    int _trimming;

    public int Count => _entries.Count;

    public bool TryGet(ClusterIdentity clusterIdentity, [NotNullWhen(true)] out PID? pid)
    {
        if (_entries.TryGetValue(clusterIdentity, out var entry))
        {
            entry.LastUsed = time.GetTimestamp();
            pid = entry.Pid;
            return true;
        }

        pid = null;
        return false;
    }

    public bool TryAdd(ClusterIdentity clusterIdentity, PID pid)
    {
        var added = _entries.TryAdd(clusterIdentity, new Entry(pid, time.GetTimestamp()));
        if (added && _entries.Count > maxEntries) TrimToLimit();
        return added;
    }

    /// <summary>Replaces <paramref name="existingPid"/> and nothing else.</summary>
    public bool TryUpdate(ClusterIdentity clusterIdentity, PID newPid, PID existingPid) =>
        _entries.TryGetValue(clusterIdentity, out var entry)
        && entry.Pid.Equals(existingPid)
        && _entries.TryUpdate(clusterIdentity, new Entry(newPid, time.GetTimestamp()), entry);

    public bool TryRemove(ClusterIdentity clusterIdentity) => _entries.TryRemove(clusterIdentity, out _);

    /// <summary>Removes the entry if it still has this PID.</summary>
    public bool RemoveByVal(ClusterIdentity clusterIdentity, PID pid) =>
        _entries.TryGetValue(clusterIdentity, out var entry)
        && entry.Pid.Equals(pid)
        && _entries.TryRemove(KeyValuePair.Create(clusterIdentity, entry));

    public void RemoveByMember(Member member) => RemoveByAddress(member.Address);

    public void RemoveByAddress(string address) => Remove(entry => string.Equals(entry.Pid.Address, address, StringComparison.Ordinal));

    public void RemoveByPredicate(Func<KeyValuePair<ClusterIdentity, PID>, bool> predicate)
    {
        foreach (var (identity, entry) in _entries)
        {
            if (predicate(KeyValuePair.Create(identity, entry.Pid))) _entries.TryRemove(KeyValuePair.Create(identity, entry));
        }
    }

    /// <summary>Forgets what nobody used for <paramref name="timeToLive"/>; returns how many that were.</summary>
    public int RemoveIdle(TimeSpan timeToLive) => Remove(entry => time.GetElapsedTime(entry.LastUsed) > timeToLive);

    int Remove(Func<Entry, bool> condition)
    {
        var removed = 0;
        foreach (var (identity, entry) in _entries)
        {
            if (condition(entry) && _entries.TryRemove(KeyValuePair.Create(identity, entry))) removed++;
        }

        return removed;
    }

    /// <summary>Makes room for a tenth, taking the entries whose last use is longest ago.</summary>
    void TrimToLimit()
    {
        if (Interlocked.Exchange(ref _trimming, 1) != 0) return;
        try
        {
            var surplus = _entries.Count - (maxEntries - maxEntries / 10);
            foreach (var (identity, entry) in _entries.OrderBy(pair => pair.Value.LastUsed).Take(surplus).ToArray())
                _entries.TryRemove(KeyValuePair.Create(identity, entry));
        }
        finally
        {
            Volatile.Write(ref _trimming, 0);
        }
    }

    sealed class Entry(PID pid, long lastUsed)
    {
        public readonly PID Pid = pid;
        public long LastUsed = lastUsed;
    }
}
