namespace Proto.Remote.Endpoints;

/// <summary>Which local actors watch which actors behind one endpoint.</summary>
sealed class WatchTable
{
    readonly Lock _gate = new();
    readonly Dictionary<string, HashSet<PID>> _watchersById = new(StringComparer.Ordinal);

    public void Add(string watcheeId, PID watcher)
    {
        lock (_gate)
        {
            if (!_watchersById.TryGetValue(watcheeId, out var watchers)) _watchersById[watcheeId] = watchers = [];
            watchers.Add(watcher);
        }
    }

    public bool Remove(string watcheeId, PID watcher)
    {
        lock (_gate)
        {
            if (!_watchersById.TryGetValue(watcheeId, out var watchers) || !watchers.Remove(watcher)) return false;
            if (watchers.Count == 0) _watchersById.Remove(watcheeId);
            return true;
        }
    }

    /// <summary>All (watchee id, watcher) pairs, in the same order on every machine.</summary>
    public List<(string WatcheeId, PID Watcher)> All()
    {
        lock (_gate)
        {
            var all = new List<(string WatcheeId, PID Watcher)>();
            foreach (var (id, watchers) in _watchersById)
            {
                foreach (var watcher in watchers) all.Add((id, watcher));
            }

            all.Sort(static (a, b) => Compare(a.WatcheeId, b.WatcheeId) is not 0 and var byId ? byId
                : Compare(a.Watcher.Address, b.Watcher.Address) is not 0 and var byAddress ? byAddress
                : Compare(a.Watcher.Id, b.Watcher.Id) is not 0 and var byWatcher ? byWatcher
                : a.Watcher.RequestId.CompareTo(b.Watcher.RequestId));
            return all;
        }
    }

    /// <summary>All pairs; the table is empty afterwards.</summary>
    public List<(string WatcheeId, PID Watcher)> TakeAll()
    {
        lock (_gate)
        {
            var all = All();
            _watchersById.Clear();
            return all;
        }
    }

    static int Compare(string a, string b) => string.CompareOrdinal(a, b);
}
