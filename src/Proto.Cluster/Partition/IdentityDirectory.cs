using Proto.Cluster.Placement;

namespace Proto.Cluster.Partition;

/// <summary>
/// Where the identities of one owner are activated. Invariant: an identity is asked for at one member until that member has answered or left,
/// because an answer that did not come may have been a yes (defect 4 of the original).
/// </summary>
sealed class IdentityDirectory
{
    readonly Dictionary<ClusterIdentity, Entry> _entries = [];

    public sealed class Entry(Member placement)
    {
        /// <summary>The member that hosts it, or was asked to.</summary>
        public Member Placement { get; } = placement;

        /// <summary>The activation; null while its member has not confirmed it.</summary>
        public PID? Pid { get; private set; }

        public bool Deduplicates { get; private set; }

        /// <summary>A question to the member is under way.</summary>
        public bool IsAsking { get; set; }

        public void Confirm(PID pid, bool deduplicates)
        {
            Pid = pid;
            Deduplicates = deduplicates;
        }

        public void Doubt() => Pid = null;
    }

    public int Count => _entries.Count;

    public Entry? Find(ClusterIdentity identity) => _entries.GetValueOrDefault(identity);

    public Entry Add(ClusterIdentity identity, Member placement) => _entries[identity] = new Entry(placement);

    /// <summary>Removes this entry and no other.</summary>
    public void Remove(ClusterIdentity identity, Entry entry)
    {
        if (ReferenceEquals(Find(identity), entry)) _entries.Remove(identity);
    }

    /// <summary>Another topology: what others own is forgotten, and what was on members that left.</summary>
    public void Keep(PlacementView view, string ownerId)
    {
        foreach (var (identity, entry) in _entries.ToArray())
        {
            var isMine = string.Equals(view.DirectoryOf(identity)?.Id, ownerId, StringComparison.Ordinal);
            if (!isMine || view.Find(entry.Placement.Id) is null) _entries.Remove(identity);
            else entry.IsAsking = false;
        }
    }

    /// <summary>A member says that it hosts an activation. Returns false when another one is known: this one must end.</summary>
    public bool Adopt(Activation activation, Member host, bool deduplicates)
    {
        if (Find(activation.ClusterIdentity) is { } known && !string.Equals(known.Placement.Id, host.Id, StringComparison.Ordinal)) return false;
        Add(activation.ClusterIdentity, host).Confirm(activation.Pid, deduplicates);
        return true;
    }
}
