using ActorCluster.Client.Membership;
using ActorCluster.Protocol.Admin;
using ActorCluster.Protocol.Membership;

namespace ActorCluster.Client.Tests;

public class MembershipTrackerTests
{
    [Fact]
    public void A_gap_in_the_watch_is_closed_by_comparing()
    {
        var tracker = new MembershipTracker();
        Assert.Empty(tracker.Apply(List("n1", (1, 1, MemberState.Up), (2, 1, MemberState.Up))));

        var change = Assert.Single(tracker.Apply(List("n3", (1, 1, MemberState.Unreachable), (2, 1, MemberState.Up))));
        Assert.Equal((1UL, MemberState.Up, MemberState.Unreachable, "n3"), (change.Uid, change.Previous, change.Current, change.SeenBy));
        Assert.Null(tracker.Apply(Change(1, 1, MemberState.Unreachable))); // pushed late: known
    }

    [Fact]
    public void A_restart_is_news_even_when_the_state_is_the_same()
    {
        var tracker = new MembershipTracker();
        tracker.Apply(List("n1", (1, 1, MemberState.Up)));
        Assert.Equal(MemberState.Up, tracker.Apply(Change(1, 2, MemberState.Up))?.Previous);
    }

    [Fact]
    public void An_older_incarnation_is_no_news_and_the_removed_stay_removed()
    {
        var tracker = new MembershipTracker();
        tracker.Apply(List("n1", (1, 3, MemberState.Up)));
        Assert.Null(tracker.Apply(Change(1, 2, MemberState.Unreachable)));
        Assert.NotNull(tracker.Apply(Change(1, 3, MemberState.Removed)));
        Assert.Null(tracker.Apply(Change(1, 3, MemberState.Up)));
        Assert.NotNull(tracker.Apply(Change(1, 4, MemberState.Up)));
    }

    [Fact]
    public void Reachability_goes_both_ways()
    {
        var tracker = new MembershipTracker();
        tracker.Apply(List("n1", (1, 1, MemberState.Up)));
        Assert.NotNull(tracker.Apply(Change(1, 1, MemberState.Unreachable)));
        Assert.Equal(MemberState.Unreachable, tracker.Apply(Change(1, 1, MemberState.Up))?.Previous);
        Assert.Equal(MemberState.Unspecified, tracker.Apply(Change(2, 1, MemberState.Joining))?.Previous);
    }

    static Members List(string by, params (ulong Uid, ulong Incarnation, MemberState State)[] members)
    {
        var list = new Members { AnsweredBy = by };
        foreach (var (uid, incarnation, state) in members) list.Members_.Add(new Member { Uid = uid, Incarnation = incarnation, State = state });
        return list;
    }

    static MembershipChanged Change(ulong uid, ulong incarnation, MemberState state) => new() { Uid = uid, Incarnation = incarnation, Current = state };
}
