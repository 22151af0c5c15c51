using ActorCluster.Protocol.Admin;
using ActorCluster.Protocol.Membership;

namespace ActorCluster.Client.Membership;

/// <summary>
/// Turns what several nodes say of the members into one sequence of changes without gaps and repeats: after a watch moved
/// to another node, whatever changed in between is found by comparing. Pure; one caller at a time.
/// </summary>
public sealed class MembershipTracker
{
    readonly Dictionary<ulong, Member> _known = [];

    /// <summary>Takes a whole list; the changes against what was known. The first list is a start and changes nothing.</summary>
    public IReadOnlyList<MembershipChanged> Apply(Members members)
    {
        var first = _known.Count == 0;
        var changes = new List<MembershipChanged>();
        foreach (var member in members.Members_)
        {
            _known.TryGetValue(member.Uid, out var before);
            if (before is not null && !IsNews(member.Incarnation, member.State, before)) continue;
            _known[member.Uid] = member.Clone();
            if (first) continue;
            changes.Add(new MembershipChanged
            {
                Uid = member.Uid,
                Name = member.Name,
                Address = member.Address,
                Previous = before?.State ?? MemberState.Unspecified,
                Current = member.State,
                Incarnation = member.Incarnation,
                View = member.View,
                Evidence = member.Evidence,
                SeenBy = members.AnsweredBy,
            });
        }

        return changes;
    }

    /// <summary>Takes one pushed change; null when it says nothing new.</summary>
    public MembershipChanged? Apply(MembershipChanged change)
    {
        _known.TryGetValue(change.Uid, out var before);
        if (before is not null && !IsNews(change.Incarnation, change.Current, before)) return null;
        var previous = before?.State ?? change.Previous;
        _known[change.Uid] = new Member
        {
            Uid = change.Uid,
            Name = change.Name,
            Address = change.Address,
            State = change.Current,
            Incarnation = change.Incarnation,
            View = change.View,
            Evidence = change.Evidence,
        };
        var news = change.Clone();
        news.Previous = previous;
        return news;
    }

    // A node that lags tells older incarnations: no news. Within one incarnation reachability goes both ways, but what was
    // removed stays removed.
    static bool IsNews(ulong incarnation, MemberState state, Member before) =>
        incarnation > before.Incarnation
        || (incarnation == before.Incarnation && state != before.State && before.State != MemberState.Removed);
}
