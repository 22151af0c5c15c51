namespace Proto.Cluster.Seed;

/// <summary>The clients that one member tells the topology: those that asked for it within the time to live, at most <see cref="MaxClients"/>.</summary>
sealed class SeedClients(TimeProvider time, TimeSpan timeToLive)
{
    public const int MaxClients = 10_000;

    readonly SortedDictionary<string, long> _askedAt = new(StringComparer.Ordinal);

    /// <summary>False when there are too many others.</summary>
    public bool TryAdd(string systemId)
    {
        if (!_askedAt.ContainsKey(systemId) && _askedAt.Count >= MaxClients && Current().Count >= MaxClients) return false;
        _askedAt[systemId] = time.GetTimestamp();
        return true;
    }

    /// <summary>In order; forgets those that ask no more.</summary>
    public IReadOnlyCollection<string> Current()
    {
        foreach (var lost in _askedAt.Where(client => time.GetElapsedTime(client.Value) > timeToLive).ToArray()) _askedAt.Remove(lost.Key);
        return _askedAt.Keys;
    }
}
