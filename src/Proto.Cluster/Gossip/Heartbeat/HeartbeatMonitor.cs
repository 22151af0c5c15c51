namespace Proto.Cluster.Gossip;

/// <summary>
/// Whose heartbeat is missing, and about whom a majority says so. Nobody is evicted on the word of one: a member counts as gone when more than
/// half of all members, it and those that are silent themselves included in the count, miss the same heartbeat of it. So a node that is cut off evicts nobody, a
/// cluster of two never does, and a heartbeat that gets through anywhere refutes. A pure state machine; time is milliseconds of any
/// monotonic clock.
/// </summary>
sealed class HeartbeatMonitor(string self, long expirationMs)
{
    readonly SortedDictionary<string, Watch> _watched = new(StringComparer.Ordinal);
    long _lastLook = long.MinValue;

    /// <summary>A member counts as heard when it is first seen.</summary>
    public void SetMembers(IEnumerable<string> memberIds, long nowMs)
    {
        var members = memberIds.Where(id => !string.Equals(id, self, StringComparison.Ordinal)).ToHashSet(StringComparer.Ordinal);
        foreach (var gone in _watched.Keys.Where(id => !members.Contains(id)).ToArray()) _watched.Remove(gone);
        foreach (var id in members) _watched.TryAdd(id, new Watch { HeardAtMs = nowMs });
    }

    public void Heard(string memberId, long heartbeat, long nowMs)
    {
        if (!_watched.TryGetValue(memberId, out var watch) || heartbeat <= watch.LastHeartbeat) return;
        watch.LastHeartbeat = heartbeat;
        watch.HeardAtMs = nowMs;
    }

    /// <summary>What another member misses, in place of what it said before.</summary>
    public void Said(string memberId, IEnumerable<KeyValuePair<string, long>> missed)
    {
        if (_watched.TryGetValue(memberId, out var watch)) watch.Missed = new Dictionary<string, long>(missed, StringComparer.Ordinal);
    }

    /// <summary>
    /// The members whose heartbeat is missing here, each with the number of its last one, in the order of their ids. To be asked regularly:
    /// a caller that itself did not run for half of the expiration has heard nobody, and starts anew.
    /// </summary>
    public IReadOnlyList<KeyValuePair<string, long>> Expired(long nowMs)
    {
        if (_lastLook != long.MinValue && nowMs - _lastLook > expirationMs / 2)
        {
            foreach (var watch in _watched.Values) watch.HeardAtMs = nowMs;
        }

        _lastLook = nowMs;
        return [.. _watched.Where(entry => IsExpired(entry.Value, nowMs)).Select(entry => KeyValuePair.Create(entry.Key, entry.Value.LastHeartbeat))];
    }

    /// <summary>Those of the expired whom a majority misses.</summary>
    public IReadOnlyList<string> Evictable(long nowMs)
    {
        var majority = (_watched.Count + 1) / 2 + 1;
        var evictable = new List<string>();
        foreach (var (id, suspect) in _watched)
        {
            if (!IsExpired(suspect, nowMs)) continue;
            // The word of one that is silent itself is old. One that saw a later heartbeat than this node and misses it too, misses even more.
            var agreeing = 1 + _watched.Values.Count(witness =>
                witness != suspect && !IsExpired(witness, nowMs)
                && witness.Missed.TryGetValue(id, out var last) && last >= suspect.LastHeartbeat);
            if (agreeing >= majority) evictable.Add(id);
        }

        return evictable;
    }

    bool IsExpired(Watch watch, long nowMs) => nowMs - watch.HeardAtMs >= expirationMs;

    sealed class Watch
    {
        public long HeardAtMs { get; set; }

        public long LastHeartbeat { get; set; }

        public IReadOnlyDictionary<string, long> Missed { get; set; } = new Dictionary<string, long>(StringComparer.Ordinal);
    }
}
