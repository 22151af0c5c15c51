using Proto.Cluster.PartitionActivator;
using Proto.Cluster.Placement;
using Proto.Cluster.Tests.Messages;

namespace Proto.Cluster.Tests;

public sealed class HandOverTests
{
    /// <summary>Defect 6 of the original: the new owner starts an identity while the old one is still stopping it.</summary>
    [Fact]
    public async Task The_new_owner_starts_nothing_that_the_old_one_has_not_ended()
    {
        await using var fixture = new ClusterFixture();
        var activations = new RunningActivations();
        var one = await StartAsync(fixture, activations);
        for (var i = 0; i < 20; i++) await RequestAsync(one, $"{i}");

        var two = await StartAsync(fixture, activations);
        var moved = OwnedBy(two, Enumerable.Range(0, 20).Select(i => $"{i}"));
        foreach (var _ in moved) await activations.AnotherIsStopping();
        var refused = await AskAsync(two, moved[0]);
        Assert.Equal(ActivationRefusal.RefusalHandOver, refused.Refusal);
        var underWay = RequestAsync(two, moved[0]);
        activations.LetStop();

        Assert.Equal(two.System.Address, (await underWay).Host);
        foreach (var identity in moved) Assert.Equal(two.System.Address, (await RequestAsync(one, identity)).Host);
        Assert.Equal(0, activations.Overlaps);
    }

    [Fact]
    public async Task A_member_that_has_not_seen_the_topology_keeps_others_from_starting_what_it_may_hold()
    {
        await using var fixture = new ClusterFixture();
        var activations = new RunningActivations();
        activations.LetStop();
        var (byHandOne, byHandTwo) = (new TopologyByHand(), new TopologyByHand());
        var one = await StartAsync(fixture, activations, byHandOne);
        var two = await StartAsync(fixture, activations, byHandTwo);
        for (var i = 0; i < 20; i++) await RequestAsync(one, $"{i}");

        // Only the newcomer knows of it so far.
        byHandTwo.See(one, two);
        var moved = OwnedBy(two, Enumerable.Range(0, 20).Select(i => $"{i}"));
        var refused = await AskAsync(two, moved[0]);
        Assert.Equal(ActivationRefusal.RefusalHandOver, refused.Refusal);
        Assert.Contains(one.System.Address, refused.Reason, StringComparison.Ordinal);
        var underWay = RequestAsync(two, moved[0]);
        byHandOne.See(one, two);

        Assert.Equal(two.System.Address, (await underWay).Host);
        Assert.Equal(0, activations.Overlaps);
    }

    [Fact]
    public async Task What_stays_where_it_was_waits_for_newcomers_only()
    {
        await using var fixture = new ClusterFixture();
        var activations = new RunningActivations();
        activations.LetStop();
        var byHand = new[] { new TopologyByHand(), new TopologyByHand(), new TopologyByHand() };
        var one = await StartAsync(fixture, activations, byHand[0]);
        var two = await StartAsync(fixture, activations, byHand[1]);
        var three = await StartAsync(fixture, activations, byHand[2]);
        byHand[0].See(one, two);
        byHand[1].See(one, two);
        // Each of the two has heard of the other: all that they own can be started.
        foreach (var identity in Enumerable.Range(0, 20)) await RequestAsync(one, $"{identity}");

        // The second hears of the third, and the third of all; the first (think of it as crashed) of nothing.
        byHand[1].See(one, two, three);
        byHand[2].See(one, two, three);
        var kept = OwnedBy(two, Enumerable.Range(100, 40).Select(i => $"{i}"));
        Assert.Equal(two.System.Address, (await RequestAsync(two, kept[0])).Host);
        var isNewHere = OwnedBy(three, Enumerable.Range(100, 40).Select(i => $"{i}"));
        Assert.Equal(ActivationRefusal.RefusalHandOver, (await AskAsync(three, isNewHere[0])).Refusal);
    }

    [Fact]
    public async Task A_request_for_an_identity_owned_elsewhere_is_refused()
    {
        await using var fixture = new ClusterFixture();
        var activations = new RunningActivations();
        activations.LetStop();
        var one = await StartAsync(fixture, activations);
        var two = await StartAsync(fixture, activations);
        var ofTwo = OwnedBy(two, Enumerable.Range(0, 20).Select(i => $"{i}"))[0];

        Assert.Equal(ActivationRefusal.RefusalNotOwner, (await AskAsync(one, ofTwo)).Refusal);
        Assert.Equal(two.System.Address, (await RequestAsync(one, ofTwo)).Host);
    }

    [Fact]
    public async Task A_member_that_leaves_ends_its_activations_before_the_others_start_them()
    {
        await using var fixture = new ClusterFixture();
        var activations = new RunningActivations();
        var one = await StartAsync(fixture, activations);
        var two = await StartAsync(fixture, activations);
        var ofTwo = OwnedBy(two, Enumerable.Range(0, 20).Select(i => $"{i}"))[0];
        await RequestAsync(one, ofTwo);

        var leaving = two.ShutdownAsync();
        await activations.AnotherIsStopping();
        Assert.Equal(ActivationRefusal.RefusalShuttingDown, (await AskAsync(two, OwnedBy(two, Enumerable.Range(100, 20).Select(i => $"{i}"))[0])).Refusal);
        var underWay = RequestAsync(one, ofTwo);
        activations.LetStop();
        await leaving;

        Assert.Equal(one.System.Address, (await underWay).Host);
        Assert.Equal(0, activations.Overlaps);
        Assert.Equal(0, two.GetClusterKind(RunningActivations.Kind).Count);
    }

    [Fact]
    public async Task A_request_without_an_identity_is_refused_and_ends_nothing()
    {
        await using var fixture = new ClusterFixture();
        var member = await fixture.StartMemberAsync();
        Assert.Equal(1, (await AddAsync()).Amount);

        var refused = await member.System.Root.RequestAsync<ActivationResponse>(
            PID.FromAddress(member.System.Address, PartitionActivatorLookup.ActivatorName), new ActivationRequest(), ClusterFixture.Soon());

        Assert.Contains("cluster_identity", refused.Reason, StringComparison.Ordinal);
        Assert.Equal(2, (await AddAsync()).Amount);

        Task<Total> AddAsync() => member.RequestAsync<Total>("x", CounterActor.Kind, new Add { Amount = 1 }, ClusterFixture.Soon());
    }

    /// <summary>Defect 5 of the original: it goes on without agreement after ten seconds.</summary>
    [Fact]
    public void A_member_that_never_answers_is_never_gone_on_without()
    {
        var handOver = new HandOver();
        var (silent, holder) = (Member("silent"), Member("holder"));
        var peers = handOver.Begin([silent, holder], _ => true);
        var identity = ClusterIdentity.Create("i", "k");

        Assert.Equal((silent, false), handOver.Obstacle(identity, wasMine: false));
        handOver.Settle(peers[0]);
        peers[1].Held = [identity];
        Assert.Equal((holder, true), handOver.Obstacle(identity, wasMine: false));
        Assert.Null(handOver.Obstacle(ClusterIdentity.Create("other", "k"), wasMine: false));
        handOver.Settle(peers[1]);
        Assert.True(handOver.IsOver);

        // Every topology asks anew.
        handOver.Begin([silent, holder], _ => false);
        Assert.NotNull(handOver.Obstacle(identity, wasMine: false));
        Assert.Null(handOver.Obstacle(identity, wasMine: true));
    }

    [Fact]
    public void Large_answers_come_in_pages()
    {
        var view = new PlacementView([Member("a"), Member("b")]);
        var pages = new HandOverPages(view, pageSize: 3);
        for (var i = 0; i < 8; i++) pages.Add("b", new Activation { ClusterIdentity = ClusterIdentity.Create($"{i}", "k") });
        var seen = new List<string>();
        HandOverReport report;
        do
        {
            report = pages.Report(new HandOverRequest { TopologyHash = view.Hash, RequesterId = "b", Offset = seen.Count }, _ => true);
            Assert.InRange(report.Held.Count, 1, 3);
            seen.AddRange(report.Held.Select(held => held.ClusterIdentity.Identity));
        }
        while (seen.Count < report.Total);

        Assert.Equal(Enumerable.Range(0, 8).Select(i => $"{i}"), seen);
        Assert.Equal(0, pages.Report(new HandOverRequest { TopologyHash = view.Hash, RequesterId = "b" }, _ => false).Total);
        Assert.Equal(0, pages.Report(new HandOverRequest { TopologyHash = view.Hash + 1, RequesterId = "b" }, _ => true).Total);
    }

    static Member Member(string id) => new() { Id = id, Host = id, Port = 1 };

    static Task<Cluster> StartAsync(ClusterFixture fixture, RunningActivations activations, IClusterProvider? provider = null) =>
        fixture.StartMemberAsync(
            config => config.WithClusterKind(RunningActivations.Kind, activations.Props) with { ShutdownStepTimeout = TimeSpan.FromMinutes(1) }, provider: provider);

    static Task<Total> RequestAsync(Cluster from, string identity) =>
        from.RequestAsync<Total>(identity, RunningActivations.Kind, new Add(), ClusterFixture.Soon());

    static Task<ActivationResponse> AskAsync(Cluster owner, string identity) => owner.System.Root.RequestAsync<ActivationResponse>(
        PID.FromAddress(owner.System.Address, PartitionActivatorLookup.ActivatorName),
        new ActivationRequest { ClusterIdentity = ClusterIdentity.Create(identity, RunningActivations.Kind) },
        ClusterFixture.Soon());

    /// <summary>Those of the identities that the member owns in its topology.</summary>
    static string[] OwnedBy(Cluster member, IEnumerable<string> identities)
    {
        var view = new PlacementView(member.MemberList.GetAllMembers());
        string[] owned = [.. identities.Where(identity => view.HostOf(ClusterIdentity.Create(identity, RunningActivations.Kind))!.Id == member.System.Id)];
        Assert.NotEmpty(owned);
        return owned;
    }
}
