using FsCheck;
using FsCheck.Fluent;
using Proto.Cluster.Seed;

namespace Proto.Cluster.Tests.Seed;

public sealed class SeedMembershipTests
{
    [Fact]
    public void Joined_elsewhere_is_joined_here()
    {
        var (a, b) = (Of("a"), Of("b"));
        a.Add(Node("c"));

        Assert.True(b.Merge(a.Describe()));
        Assert.False(b.Merge(a.Describe()));

        Assert.Equal(["a", "b", "c"], b.Members.Select(member => member.Id));
    }

    [Fact]
    public void Departed_is_departed_for_good()
    {
        var (a, b) = (Of("a"), Of("b"));
        foreach (var membership in new[] { a, b }) membership.Add(Node("c"));

        Assert.True(a.Depart("c"));
        Assert.True(b.Merge(a.Describe()));

        Assert.False(b.Add(Node("c")));
        Assert.False(a.Merge(b.Describe()) && a.Members.Any(member => member.Id == "c"));
    }

    [Fact]
    public void This_member_does_not_depart_by_what_others_say()
    {
        var a = Of("a");

        Assert.False(a.Merge(new SeedMembers { Departed = { "a" } }));

        Assert.Equal("a", Assert.Single(a.Members).Id);
    }

    [Fact]
    public void A_restarted_node_takes_the_place_of_its_former_run_and_never_the_other_way_around()
    {
        var a = Of("a");
        var (former, restarted) = (Node("x", port: 9, started: 1), Node("b", port: 9, started: 2));

        a.Add(former);
        Assert.True(a.Add(restarted));
        a.Add(former);

        Assert.Equal(["a", "b"], a.Members.Select(member => member.Id));
        Assert.True(a.HasDeparted("x"));
    }

    [Theory]
    [InlineData("", "host", 1)]
    [InlineData("id", "", 1)]
    [InlineData("id", "host", 0)]
    [InlineData("id", "host", 65536)]
    public void A_member_without_id_or_address_is_none(string id, string host, int port) =>
        Assert.False(Of("a").Add(new Member { Id = id, Host = host, Port = port }));

    static readonly Arbitrary<(int Kind, int Actor, int Whom)[]> Steps = (
        from steps in (
            from kind in Gen.Choose(0, 2)
            from actor in Gen.Choose(0, 2)
            from whom in Gen.Choose(0, 5)
            select (kind, actor, whom)).ArrayOf()
        select steps).ToArbitrary();

    [Fact]
    public void All_end_with_the_same_membership_whoever_told_whom_first() =>
        Prop.ForAll(Steps, steps =>
        {
            string[] ids = ["a", "b", "c"];
            var memberships = ids.Select(Of).ToArray();
            foreach (var (kind, actor, whom) in steps)
            {
                switch (kind)
                {
                    // Two runs of a node at each address.
                    case 0: memberships[actor].Add(Node($"x{whom}", port: 100 + whom / 2, started: whom % 2)); break;
                    case 1: memberships[actor].Depart($"x{whom}"); break;
                    case 2: memberships[actor].Merge(memberships[whom % 3].Describe()); break;
                }
            }

            for (var round = 0; round < 3; round++)
            {
                foreach (var one in memberships)
                {
                    foreach (var other in memberships) one.Merge(other.Describe());
                }
            }

            foreach (var membership in memberships) Assert.Equal(memberships[0].Members, membership.Members);
        }).QuickCheckThrowOnFailure();

    static SeedMembership Of(string id) => new(Node(id));

    static Member Node(string id, int? port = null, long started = 0) =>
        new() { Id = id, Host = "host", Port = port ?? id[0], StartedUnixMs = started };
}
