using ActorCluster.Raft;

namespace ActorCluster.Simulation.Disk;

/// <summary>The names of a directory: as seen now, and the changes that are not durable yet.</summary>
sealed class SimDirectory
{
    readonly List<NameChange> _pending = [];
    SortedDictionary<string, SimFileContent> _durable = new(StringComparer.Ordinal);

    public SortedDictionary<string, SimFileContent> Names { get; private set; } = new(StringComparer.Ordinal);

    public IEnumerable<SimFileContent> Files => Names.Values.Distinct();

    public void Change(NameChange change)
    {
        _pending.Add(change);
        Apply(Names, change);
    }

    public void Sync()
    {
        _pending.Clear();
        _durable = new SortedDictionary<string, SimFileContent>(Names, StringComparer.Ordinal);
    }

    /// <summary>Keeps some pending changes and forgets the others; true when one was lost.</summary>
    public bool CrashNames(IRandomSource random, CrashManner manner)
    {
        var prefix = random.Next(_pending.Count + 1);
        var lost = false;
        for (var i = 0; i < _pending.Count; i++)
        {
            var keep = manner switch
            {
                CrashManner.KeepAll => true,
                CrashManner.LoseAll => false,
                CrashManner.KeepPrefix => i < prefix,
                _ => random.Chance(0.5),
            };
            if (keep) Apply(_durable, _pending[i]);
            else lost = true;
        }

        _pending.Clear();
        Names = new SortedDictionary<string, SimFileContent>(_durable, StringComparer.Ordinal);
        return lost;
    }

    static void Apply(SortedDictionary<string, SimFileContent> names, NameChange change)
    {
        if (change.Removed is not null) names.Remove(change.Removed);
        if (change.Added is not null) names[change.Added] = change.Content!;
    }
}

/// <summary>A create (only Added), a delete (only Removed) or an atomic rename (both).</summary>
sealed record NameChange(string? Removed, string? Added, SimFileContent? Content);
