using System.Collections.Immutable;

namespace Proto.Cluster;

/// <summary>One immutable state of the member list. Ordered by member id, so that it is the same on every node.</summary>
sealed class MemberView
{
    public static readonly MemberView Empty = new([]);

    readonly Dictionary<string, Member> _byId;
    readonly Dictionary<string, Member[]> _hostsByKind;

    MemberView(Member[] members)
    {
        Members = members;
        _byId = members.ToDictionary(member => member.Id, StringComparer.Ordinal);
        Ids = [.. members.Select(member => member.Id)];
        TopologyHash = Member.TopologyHash64(Members);
        _hostsByKind = Members
            .SelectMany(member => member.Kinds.Select(kind => (kind, member)))
            .GroupBy(host => host.kind, StringComparer.Ordinal)
            .ToDictionary(hosts => hosts.Key, hosts => hosts.Select(host => host.member).ToArray(), StringComparer.Ordinal);
    }

    public Member[] Members { get; }

    public ImmutableHashSet<string> Ids { get; }

    public ulong TopologyHash { get; }

    /// <summary>
    /// The view of these members. Of several with one id the last counts. Of several at one address the one that started last counts, and of
    /// those the one with the highest id: what the members say of themselves decides, so that all nodes decide alike.
    /// </summary>
    public static MemberView Of(IEnumerable<Member> members)
    {
        var byId = new Dictionary<string, Member>(StringComparer.Ordinal);
        foreach (var member in members) byId[member.Id] = member;
        return new MemberView(
        [
            .. byId.Values
                .GroupBy(member => member.Address, StringComparer.Ordinal)
                .Select(rivals => rivals.Aggregate((one, other) => other.Supersedes(one) ? other : one))
                .OrderBy(member => member.Id, StringComparer.Ordinal),
        ]);
    }

    public Member? Find(string memberId) => _byId.GetValueOrDefault(memberId);

    public Member[] HostsOf(string kind) => _hostsByKind.TryGetValue(kind, out var hosts) ? hosts : [];

    /// <summary>By the members themselves, not by a hash of them.</summary>
    public bool IsSameAs(MemberView other) => Members.AsSpan().SequenceEqual(other.Members);

    /// <summary>Members of this view that the other does not have, in order.</summary>
    public Member[] Without(MemberView other) => [.. Members.Where(member => other.Find(member.Id) is null)];
}
