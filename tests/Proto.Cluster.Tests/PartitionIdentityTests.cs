using System.Collections.Concurrent;
using System.Collections.Immutable;
using Proto.Cluster.Identity;
using Proto.Cluster.Partition;
using Proto.Cluster.Placement;
using Proto.Cluster.Tests.Messages;

namespace Proto.Cluster.Tests;

public sealed class PartitionIdentityTests
{
    static readonly PartitionConfig Config = new();

    [Fact]
    public async Task Activations_stay_where_they_are_when_members_join()
    {
        await using var fixture = new ClusterFixture();
        var first = await fixture.StartMemberAsync(lookup: new PartitionIdentityLookup());
        for (var i = 0; i < 30; i++) await AddAsync(first, $"{i}");

        var members = new[] { first, await fixture.StartMemberAsync(lookup: new PartitionIdentityLookup()), await fixture.StartMemberAsync(lookup: new PartitionIdentityLookup()) };
        for (var i = 0; i < 30; i++)
        {
            var total = await AddAsync(members[i % 3], $"{i}");
            Assert.Equal(2, total.Amount);
            Assert.Equal(first.System.Address, total.Host);
        }
    }

    [Fact]
    public async Task Every_member_and_a_client_reach_the_same_activation_and_the_strategy_spreads_them()
    {
        await using var fixture = new ClusterFixture();
        var members = new[] { await fixture.StartMemberAsync(lookup: new PartitionIdentityLookup()), await fixture.StartMemberAsync(lookup: new PartitionIdentityLookup()) };
        var client = await fixture.StartClientAsync(new PartitionIdentityLookup());
        var hosts = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < 20; i++)
        {
            foreach (var (cluster, expected) in members.Append(client).Select((cluster, index) => (cluster, index + 1)))
            {
                var total = await AddAsync(cluster, $"{i}");
                Assert.Equal(expected, total.Amount);
                hosts.Add(total.Host);
            }
        }

        Assert.Equal(2, hosts.Count);
    }

    [Fact]
    public async Task When_a_member_dies_its_actors_are_found_elsewhere()
    {
        await using var fixture = new ClusterFixture();
        var one = await fixture.StartMemberAsync(lookup: new PartitionIdentityLookup());
        var two = await fixture.StartMemberAsync(lookup: new PartitionIdentityLookup());
        for (var i = 0; i < 20; i++) await AddAsync(one, $"{i}");

        await fixture.KillAsync(two);
        fixture.Agent.DeregisterService(two.System.Id);

        for (var i = 0; i < 20; i++) Assert.Equal(one.System.Address, (await AddAsync(one, $"{i}")).Host);
    }

    [Fact]
    public async Task An_activation_that_ended_is_replaced()
    {
        await using var fixture = new ClusterFixture();
        var one = await fixture.StartMemberAsync(lookup: new PartitionIdentityLookup());
        await fixture.StartMemberAsync(lookup: new PartitionIdentityLookup());
        for (var i = 0; i < 10; i++)
        {
            await AddAsync(one, $"{i}");
            var pid = await one.GetAsync($"{i}", CounterActor.Kind, ClusterFixture.Soon());
            await one.System.Root.StopAsync(pid!);
            Assert.Equal(1, (await AddAsync(one, $"{i}")).Amount);
        }
    }

    /// <summary>Defect 4 of the original: after a timeout another member is chosen, and the first one's activation is an orphan.</summary>
    [Fact]
    public async Task An_activation_that_timed_out_is_asked_for_where_it_may_be_so_that_there_is_no_second()
    {
        await using var fixture = new ClusterFixture();
        var may = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        var askedAgain = new SemaphoreSlim(0);
        var activations = new RunningActivations();
        activations.LetStop();
        var deciders = new ConcurrentDictionary<string, int>(StringComparer.Ordinal);
        Cluster[] members = [await StartAsync("one"), await StartAsync("two"), await StartAsync("three")];

        // One question takes 100 ms at most; the member that got it takes as long as the test wants.
        var underWay = members[0].RequestAsync<Total>("x", RunningActivations.Kind, new Add(), ClusterFixture.Soon());
        await askedAgain.WaitAsync(ClusterFixture.Soon());
        var owner = Array.Find(members, member => member.System.Id == new PlacementView(members[0].MemberList.GetAllMembers())
            .DirectoryOf(ClusterIdentity.Create("x", RunningActivations.Kind))!.Id)!;
        ActivationResponse refused;
        do refused = await AskAsync(owner, "x");
        while (!refused.Reason.Contains("deciding whether it may", StringComparison.Ordinal)); // the second question, at the same member
        may.SetResult(true);

        await underWay;
        foreach (var member in members) await member.RequestAsync<Total>("x", RunningActivations.Kind, new Add(), ClusterFixture.Soon());
        Assert.Single(deciders);
        Assert.Equal(1, activations.Starts);

        Task<Cluster> StartAsync(string name) => fixture.StartMemberAsync(
            config => config.WithClusterKind(new ClusterKind(RunningActivations.Kind, activations.Props).WithSpawnPredicate(async (_, _) =>
            {
                deciders.AddOrUpdate(name, 1, (_, count) => count + 1);
                askedAgain.Release();
                return await may.Task;
            })),
            new PartitionIdentityLookup(Config with { GetPidTimeout = TimeSpan.FromMilliseconds(100) }));
    }

    /// <summary>Defect 5 of the original: it goes on without agreement, and forgets what runs.</summary>
    [Fact]
    public async Task A_new_owner_places_nothing_before_all_have_told_what_they_host()
    {
        await using var fixture = new ClusterFixture();
        var (byHandOne, byHandTwo) = (new TopologyByHand(), new TopologyByHand());
        var one = await fixture.StartMemberAsync(lookup: new PartitionIdentityLookup(), provider: byHandOne);
        var two = await fixture.StartMemberAsync(lookup: new PartitionIdentityLookup(), provider: byHandTwo);
        for (var i = 0; i < 20; i++) await AddAsync(one, $"{i}");

        byHandTwo.See(one, two);
        var view = new PlacementView(two.MemberList.GetAllMembers());
        var moved = Enumerable.Range(0, 20).Select(i => $"{i}")
            .First(identity => view.DirectoryOf(ClusterIdentity.Create(identity, CounterActor.Kind))!.Id == two.System.Id);
        Assert.Equal(ActivationRefusal.RefusalHandOver, (await AskAsync(two, moved, CounterActor.Kind)).Refusal);
        var underWay = AddAsync(two, moved);
        byHandOne.See(one, two);

        Assert.Equal(2, (await underWay).Amount);
        Assert.Equal(one.System.Address, (await AddAsync(two, moved)).Host);
    }

    [Fact]
    public async Task Of_two_activations_from_a_disagreement_one_ends_when_members_agree()
    {
        await using var fixture = new ClusterFixture();
        var activations = new RunningActivations();
        activations.LetStop();
        var (byHandOne, byHandTwo) = (new TopologyByHand(), new TopologyByHand());
        var one = await StartAsync(byHandOne);
        var two = await StartAsync(byHandTwo);
        await RequestAsync(one);
        await RequestAsync(two);
        Assert.Equal(1, activations.Overlaps);

        byHandOne.See(one, two);
        byHandTwo.See(one, two);
        await activations.AnotherIsStopping();

        Assert.Equal((await RequestAsync(one)).Host, (await RequestAsync(two)).Host);
        Assert.Equal(2, activations.Starts);

        Task<Cluster> StartAsync(IClusterProvider provider) => fixture.StartMemberAsync(
            config => config.WithClusterKind(RunningActivations.Kind, activations.Props), new PartitionIdentityLookup(), provider);

        static Task<Total> RequestAsync(Cluster from) => from.RequestAsync<Total>("x", RunningActivations.Kind, new Add(), ClusterFixture.Soon());
    }

    [Fact]
    public async Task An_owner_that_is_restarted_learns_what_was_started_since_the_topology_changed()
    {
        await using var fixture = new ClusterFixture();
        Cluster[] members = [await StartAsync(), await StartAsync()];
        for (var i = 0; i < 20; i++) await AddAsync(members[0], $"{i}");

        foreach (var member in members) member.System.Root.Send(PID.FromAddress(member.System.Address, PartitionIdentityLookup.DirectoryName), new Vanish());
        foreach (var member in members) member.PidCache.RemoveByPredicate(_ => true);

        for (var i = 0; i < 20; i++) Assert.Equal(2, (await AddAsync(members[1], $"{i}")).Amount);

        Task<Cluster> StartAsync() => fixture.StartMemberAsync(
            lookup: new PartitionIdentityLookup(),
            configureSystem: config => config.WithConfigureSystemProps((name, props) => name != PartitionIdentityLookup.DirectoryName
                ? props
                : props.WithReceiverMiddleware(next => (context, envelope) => envelope.Message is Vanish
                    ? throw new InvalidOperationException("a bug")
                    : next(context, envelope))));
    }

    [Fact]
    public async Task A_member_strategy_that_throws_is_a_refusal_and_fails_nothing_else()
    {
        await using var fixture = new ClusterFixture();
        var strategy = new Failing();
        var member = await fixture.StartMemberAsync(
            config => config.WithClusterKind(CounterActor.Kind, Props.FromProducer(() => new CounterActor()), _ => strategy), new PartitionIdentityLookup());
        await AddAsync(member, "x");

        strategy.Fails = true;
        var refused = await AskAsync(member, "y", CounterActor.Kind);

        Assert.Contains("no member can be chosen", refused.Reason, StringComparison.Ordinal);
        Assert.Equal(2, (await AddAsync(member, "x")).Amount);
        strategy.Fails = false;
        Assert.Equal(1, (await AddAsync(member, "y")).Amount);
    }

    [Fact]
    public async Task A_failed_start_is_a_typed_error_through_the_owner_too()
    {
        await using var fixture = new ClusterFixture();
        Cluster[] members = [await StartAsync(), await StartAsync()];
        foreach (var member in members)
        {
            var failure = await Assert.ThrowsAsync<ActivationFailedException>(() => member.RequestAsync<Total>("x", "broken", new Add(), ClusterFixture.Soon()));
            Assert.Contains("no database", failure.Reason, StringComparison.Ordinal);
            await Assert.ThrowsAsync<IdentityIsBlockedException>(() => member.RequestAsync<Total>("bad", "broken", new Add(), ClusterFixture.Soon()));
        }

        Task<Cluster> StartAsync() => fixture.StartMemberAsync(
            config => config.WithClusterKind(
                new ClusterKind("broken", Props.FromProducer(IActor () => throw new InvalidOperationException("no database")))
                    .WithSpawnPredicate((identity, _) => ValueTask.FromResult(identity != "bad"))),
            new PartitionIdentityLookup());
    }

    [Fact]
    public void Wrong_settings_are_named()
    {
        var wrong = Assert.Throws<ArgumentOutOfRangeException>(() => new PartitionIdentityLookup(new PartitionConfig { HandoverChunkSize = 0 }));
        Assert.Equal("HandoverChunkSize", wrong.ParamName);
    }

    sealed class Failing : IMemberStrategy
    {
        readonly SimpleMemberStrategy _inner = new();

        public bool Fails { get; set; }

        public ImmutableList<Member> GetAllMembers() => _inner.GetAllMembers();

        public void AddMember(Member member) => _inner.AddMember(member);

        public void RemoveMember(Member member) => _inner.RemoveMember(member);

        public Member? GetActivator(string senderAddress) =>
            Fails ? throw new InvalidOperationException("out of order") : _inner.GetActivator(senderAddress);
    }

    static Task<Total> AddAsync(Cluster from, string identity) =>
        from.RequestAsync<Total>(identity, CounterActor.Kind, new Add { Amount = 1 }, ClusterFixture.Soon());

    static Task<ActivationResponse> AskAsync(Cluster owner, string identity, string kind = RunningActivations.Kind) => owner.System.Root.RequestAsync<ActivationResponse>(
        PID.FromAddress(owner.System.Address, PartitionIdentityLookup.DirectoryName),
        new ActivationRequest { ClusterIdentity = ClusterIdentity.Create(identity, kind) },
        ClusterFixture.Soon());
}
