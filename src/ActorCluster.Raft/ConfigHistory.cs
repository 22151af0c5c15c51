using ActorCluster.Protocol.Raft;

namespace ActorCluster.Raft;

/// <summary>
/// The configurations of the log: the newest one holds from the moment its entry is in the log, committed or not (paper, section 6),
/// so a truncation may bring the one before it back. Invariant: indexes rise; the first configuration is committed.
/// </summary>
sealed class ConfigHistory
{
    readonly List<(ulong Index, GroupConfig Config)> _configs = [];

    public ConfigHistory(ulong index, GroupConfig config, IEnumerable<Entry> entries)
    {
        _configs.Add((index, GroupConfigs.Sorted(config)));
        foreach (var entry in entries)
        {
            if (entry.Kind == EntryKind.Config) Add(entry);
        }
    }

    public GroupConfig Current => _configs[^1].Config;

    /// <summary>The index of the entry that brought the current configuration.</summary>
    public ulong CurrentIndex => _configs[^1].Index;

    /// <summary>The configuration before the current one, or null when it is forgotten.</summary>
    public GroupConfig? Previous => _configs.Count > 1 ? _configs[^2].Config : null;

    /// <summary>The configuration that held after the entry at an index: what a snapshot there must carry.</summary>
    public GroupConfig At(ulong index)
    {
        for (var i = _configs.Count - 1; i >= 0; i--)
        {
            if (_configs[i].Index <= index) return _configs[i].Config;
        }

        throw new ArgumentOutOfRangeException(nameof(index), index, "the configuration of that index is forgotten");
    }

    public void Add(Entry entry)
    {
        Invariant.Check(entry.Index > CurrentIndex, $"configuration {entry.Index} after {CurrentIndex}");
        _configs.Add((entry.Index, GroupConfigs.ParseFrom(entry)));
    }

    /// <summary>The log is truncated from an index on; true when that takes back a configuration.</summary>
    public bool Truncate(ulong from)
    {
        Invariant.Check(_configs[0].Index < from, $"the committed configuration of {_configs[0].Index} must never go");
        return _configs.RemoveAll(c => c.Index >= from) > 0;
    }

    /// <summary>Nobody will ask for what held before an index, which is committed.</summary>
    public void ForgetBefore(ulong index)
    {
        var keep = _configs.FindLastIndex(c => c.Index <= index);
        if (keep > 0) _configs.RemoveRange(0, keep);
    }

    /// <summary>A snapshot replaces the log.</summary>
    public void Reset(ulong index, GroupConfig config)
    {
        _configs.Clear();
        _configs.Add((index, GroupConfigs.Sorted(config)));
    }
}
