namespace Proto.Cluster.Placement;

/// <summary>
/// One topology, as placement sees it: who hosts which kinds, and which member owns which identity. Two members with the same
/// <see cref="Hash"/> name the same owner for every identity.
/// </summary>
sealed class PlacementView
{
    public static readonly PlacementView Empty = new([]);

    readonly Dictionary<string, Rendezvous> _hosts;
    readonly Rendezvous _all;

    public PlacementView(IEnumerable<Member> members)
    {
        _all = new Rendezvous([.. members.OrderBy(member => member.Id, StringComparer.Ordinal)]);
        Hash = Member.TopologyHash64(_all.Members);
        _hosts = _all.Members
            .SelectMany(member => member.Kinds.Select(kind => (kind, member)))
            .GroupBy(host => host.kind, StringComparer.Ordinal)
            .ToDictionary(hosts => hosts.Key, hosts => new Rendezvous([.. hosts.Select(host => host.member)]), StringComparer.Ordinal);
    }

    public ulong Hash { get; }

    /// <summary>Sorted by id.</summary>
    public IReadOnlyList<Member> Members => _all.Members;

    /// <summary>The member that owns the identity among those that host its kind; null when nobody does.</summary>
    public Member? HostOf(ClusterIdentity identity) =>
        _hosts.TryGetValue(identity.Kind, out var hosts) ? hosts.Members[hosts.OwnerOf(identity)] : null;

    /// <summary>The member that owns the identity among all, whether it hosts the kind or not; null in an empty view.</summary>
    public Member? DirectoryOf(ClusterIdentity identity) => _all.OwnerOf(identity) is >= 0 and var owner ? _all.Members[owner] : null;

    public bool AnyoneHosts(string kind) => _hosts.ContainsKey(kind);

    public Member? Find(string memberId) => Array.Find(_all.Members, member => string.Equals(member.Id, memberId, StringComparison.Ordinal));
}
