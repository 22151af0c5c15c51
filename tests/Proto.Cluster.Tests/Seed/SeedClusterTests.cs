using System.Threading.Channels;
using Proto.Cluster.Gossip;
using Proto.Cluster.Seed;
using Proto.Cluster.Tests.Messages;

namespace Proto.Cluster.Tests.Seed;

/// <summary>Members and clients over real remoting on loopback that find each other through a seed node.</summary>
public sealed class SeedClusterTests
{
    [Fact]
    public async Task Members_that_join_one_by_one_all_see_all()
    {
        await using var fixture = new ClusterFixture();
        var members = await StartAsync(fixture, 5);

        foreach (var member in members) await SeesAsync(member, members);
        var total = await members[4].RequestAsync<Total>("x", CounterActor.Kind, new Add { Amount = 3 }, ClusterFixture.Soon());
        Assert.Equal(3, total.Amount);
    }

    [Fact]
    public async Task A_member_that_stops_gracefully_is_out_for_all_others()
    {
        await using var fixture = new ClusterFixture();
        var members = await StartAsync(fixture, 3);
        foreach (var member in members) await SeesAsync(member, members);

        await members[1].ShutdownAsync();

        // Everyone who could be told was told before its shutdown ended: it waited for their answers.
        foreach (var other in new[] { members[0], members[2] }) await SeesAsync(other, members[0], members[2]);
    }

    [Fact]
    public async Task The_seed_node_itself_may_leave()
    {
        await using var fixture = new ClusterFixture();
        var members = await StartAsync(fixture, 3);
        foreach (var member in members) await SeesAsync(member, members);

        await members[0].ShutdownAsync();
        await SeesAsync(members[1], members[1..]);
        var late = await JoinAsync(fixture, members[2]);

        await SeesAsync(members[1], members[1], members[2], late);
    }

    [Fact]
    public async Task A_member_that_dies_is_removed_when_the_majority_misses_it()
    {
        await using var fixture = new ClusterFixture();
        var members = await StartAsync(fixture, 3, config => Quick(config).WithHeartbeatExpiration(TimeSpan.FromSeconds(2)));
        foreach (var member in members) await SeesAsync(member, members);

        await fixture.KillAsync(members[1]);

        foreach (var other in new[] { members[0], members[2] }) await SeesAsync(other, members[0], members[2]);
        Assert.False(members[0].System.Shutdown.IsCancellationRequested);
    }

    [Fact]
    public async Task Defect_18_a_client_joins_through_a_seed_node_and_follows_the_topology()
    {
        await using var fixture = new ClusterFixture();
        var first = await fixture.StartMemberAsync(Quick, provider: FixedServerSeedNode.StartSeedNode());

        var client = await fixture.StartClientAsync(provider: Through(first));
        await SeesAsync(client, first);
        Assert.DoesNotContain(client.System.Id, first.MemberList.GetMembers());

        var second = await JoinAsync(fixture, first);
        await SeesAsync(client, first, second);
        await second.ShutdownAsync();
        await SeesAsync(client, first);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)] // it asks the members that it knows
    public async Task A_client_whose_member_leaves_follows_another_one(bool discoveryWorks)
    {
        await using var fixture = new ClusterFixture();
        var members = await StartAsync(fixture, 2);
        foreach (var member in members) await SeesAsync(member, members);
        var discovery = new ListedSeeds();
        await discovery.Register("", members[0].MemberList.Self.Host, members[0].MemberList.Self.Port);
        var client = await fixture.StartClientAsync(provider: new SeedNodeClusterProvider(
            new SeedNodeClusterProviderOptions(discovery) { ClientRenewalInterval = TimeSpan.FromMilliseconds(50) }));
        await SeesAsync(client, members);
        discovery.Fails = !discoveryWorks;

        await members[0].ShutdownAsync();
        await SeesAsync(client, members[1]);
        var late = await JoinAsync(fixture, members[1]);

        await SeesAsync(client, members[1], late);
    }

    [Fact]
    public async Task Defect_1_a_join_that_fails_blocks_and_removes_nobody()
    {
        await using var fixture = new ClusterFixture();
        var discovery = new ListedSeeds();
        var members = new[] { await fixture.StartMemberAsync(Quick, provider: Joining(discovery)), await fixture.StartMemberAsync(Quick, provider: Joining(discovery)) };
        foreach (var member in members) await SeesAsync(member, members);

        // A node that reaches neither of them: it is refused by both, as one with a network problem would be.
        discovery.Unreachable = true;
        var lonely = await fixture.StartMemberAsync(Quick, provider: Joining(discovery));
        discovery.Unreachable = false;

        Assert.Equal(3, discovery.Listed.Count);
        Assert.Empty(lonely.Remote.BlockList.BlockedMembers);
        foreach (var member in members)
        {
            Assert.Empty(member.Remote.BlockList.BlockedMembers);
            Assert.False(member.System.Shutdown.IsCancellationRequested);
        }

        // When it reaches them it becomes one of them, without a restart.
        foreach (var member in members) await SeesAsync(member, members[0], members[1], lonely);
    }

    [Fact]
    public async Task Defect_18_an_unreachable_seed_node_fails_the_start_by_name_after_honest_tries()
    {
        await using var fixture = new ClusterFixture();
        var seeds = new ListedSeeds { Unreachable = true };
        var member = fixture.CreateMember(Quick, provider: new SeedNodeClusterProvider(Options(seeds) with { StartAloneWhenNobodyAnswers = false }));

        var failure = await Assert.ThrowsAsync<SeedJoinException>(() => member.StartMemberAsync().WaitAsync(ClusterFixture.Soon()));

        Assert.Equal(ListedSeeds.Nowhere, Assert.Single(failure.ProblemByAddress).Key);
        Assert.True(seeds.Asked > 1);
        Assert.True(member.JoinedCluster.IsCanceled);
        Assert.True(member.ShutdownCompleted.IsCompletedSuccessfully);
    }

    [Fact]
    public async Task Defect_18_nobody_is_a_member_but_those_who_joined()
    {
        await using var fixture = new ClusterFixture();
        var members = await StartAsync(fixture, 2);

        foreach (var member in members)
        {
            await SeesAsync(member, members);
            Assert.All(member.MemberList.GetAllMembers(), known => Assert.Contains(known.Id, members.Select(m => m.System.Id)));
        }
    }

    [Fact]
    public async Task Members_that_a_discovery_names_find_each_other()
    {
        await using var fixture = new ClusterFixture();
        var discovery = new ListedSeeds();
        var starting = Enumerable.Range(0, 3).Select(_ => fixture.StartMemberAsync(Quick, provider: Joining(discovery))).ToArray();

        var members = await Task.WhenAll(starting);

        foreach (var member in members) await SeesAsync(member, members);
        await members[0].ShutdownAsync();
        Assert.Equal(2, discovery.Listed.Count);
    }

    [Fact]
    public async Task What_one_member_blocks_stays_a_member_for_the_others()
    {
        await using var fixture = new ClusterFixture();
        var members = await StartAsync(fixture, 3);
        foreach (var member in members) await SeesAsync(member, members);
        var updates = Channel.CreateUnbounded<GossipUpdate>();
        members[2].System.EventStream.Subscribe<GossipUpdate>(
            update => update.Key == GossipKeys.Topology && update.MemberId == members[0].System.Id, update => updates.Writer.TryWrite(update));

        members[0].Remote.BlockList.Block(members[1].System.Id, "test");

        // The others have heard what the first sees now, and keep what they see.
        while ((await updates.Reader.ReadAsync(ClusterFixture.Soon())).Value.Unpack<ClusterTopology>().Members.Count != 2) { }
        await SeesAsync(members[2], members);
    }

    static ClusterConfig Quick(ClusterConfig config) => ClusterFixture.WithCounter(config).WithGossipInterval(TimeSpan.FromMilliseconds(20));

    static async Task<Cluster[]> StartAsync(ClusterFixture fixture, int count, Func<ClusterConfig, ClusterConfig>? configure = null)
    {
        var members = new List<Cluster> { await fixture.StartMemberAsync(configure ?? Quick, provider: FixedServerSeedNode.StartSeedNode()) };
        while (members.Count < count) members.Add(await JoinAsync(fixture, members[0], configure));
        return [.. members];
    }

    static Task<Cluster> JoinAsync(ClusterFixture fixture, Cluster seed, Func<ClusterConfig, ClusterConfig>? configure = null) =>
        fixture.StartMemberAsync(configure ?? Quick, provider: Through(seed));

    static SeedNodeClusterProvider Through(Cluster seed) => FixedServerSeedNode.JoinSeedNode(seed.MemberList.Self.Host, seed.MemberList.Self.Port);

    static SeedNodeClusterProvider Joining(ListedSeeds discovery) => new(Options(discovery));

    static SeedNodeClusterProviderOptions Options(ListedSeeds discovery) => new(discovery)
    {
        JoinTimeout = TimeSpan.FromMilliseconds(200),
        JoinRetryInterval = TimeSpan.FromMilliseconds(20),
        RejoinInterval = TimeSpan.FromMilliseconds(100),
    };

    /// <summary>Waits until exactly these are the members that it sees.</summary>
    static async Task SeesAsync(Cluster cluster, params Cluster[] expected)
    {
        var ids = expected.Select(member => member.System.Id).ToHashSet(StringComparer.Ordinal);
        var seen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var subscription = cluster.System.EventStream.Subscribe<ClusterTopology>(topology =>
        {
            if (ids.SetEquals(topology.Members.Select(member => member.Id))) seen.TrySetResult();
        });
        if (ids.SetEquals(cluster.MemberList.GetMembers())) seen.TrySetResult();
        await seen.Task.WaitAsync(ClusterFixture.Soon());
        subscription.Unsubscribe();
    }

    /// <summary>A list that all members share, as a database would be.</summary>
    sealed class ListedSeeds : ISeedNodeDiscovery
    {
        public const string Nowhere = "127.0.0.1:1";

        readonly Lock _gate = new();
        readonly Dictionary<string, (string, string, int)> _listed = new(StringComparer.Ordinal) { ["dead"] = ("dead", "127.0.0.1", 1) };
        int _asked;

        /// <summary>Names only one that is not there.</summary>
        public bool Unreachable { get; set; }

        /// <summary>Cannot be read.</summary>
        public bool Fails { get; set; }

        public int Asked => Volatile.Read(ref _asked);

        public IReadOnlyCollection<string> Listed
        {
            get
            {
                lock (_gate) return [.. _listed.Keys.Where(id => id != "dead")];
            }
        }

        public Task Register(string memberId, string host, int port)
        {
            lock (_gate) _listed[memberId] = (memberId, host, port);
            return Task.CompletedTask;
        }

        public Task Remove(string memberId)
        {
            lock (_gate) _listed.Remove(memberId);
            return Task.CompletedTask;
        }

        public Task<(string memberId, string host, int port)[]> GetAll()
        {
            Interlocked.Increment(ref _asked);
            if (Fails) return Task.FromException<(string, string, int)[]>(new IOException("the list cannot be read"));
            lock (_gate) return Task.FromResult(Unreachable ? [("dead", "127.0.0.1", 1)] : _listed.Values.ToArray());
        }
    }
}
