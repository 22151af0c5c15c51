using System.Threading.Channels;
using Proto.Cluster.Identity;
using Proto.Cluster.Tests.Messages;

namespace Proto.Cluster.Tests;

public sealed class ClusterTests
{
    [Fact]
    public async Task Every_member_and_a_client_reach_the_same_activation()
    {
        await using var fixture = new ClusterFixture();
        var members = new[] { await fixture.StartMemberAsync(), await fixture.StartMemberAsync(), await fixture.StartMemberAsync() };
        var client = await fixture.StartClientAsync();

        for (var i = 0; i < 20; i++)
        {
            var identity = $"counter-{i}";
            var hosts = new HashSet<string>(StringComparer.Ordinal);
            long total = 0;
            foreach (var cluster in members.Append(client))
            {
                var reply = await cluster.RequestAsync<Total>(identity, CounterActor.Kind, new Add { Amount = 1 }, ClusterFixture.Soon());
                Assert.Equal(identity, reply.Identity);
                Assert.Equal(++total, reply.Amount);
                hosts.Add(reply.Host);
            }

            Assert.Single(hosts);
        }
    }

    [Fact]
    public async Task Topology_changes_are_published_with_who_joined_and_who_left()
    {
        await using var fixture = new ClusterFixture();
        var first = await fixture.StartMemberAsync();
        var changes = Channel.CreateUnbounded<ClusterTopology>();
        first.System.EventStream.Subscribe<ClusterTopology>(change => { changes.Writer.TryWrite(change); });

        var second = await fixture.StartMemberAsync();
        var joined = await changes.Reader.ReadAsync(ClusterFixture.Soon());
        Assert.Equal(second.System.Id, Assert.Single(joined.Joined).Id);
        Assert.Equal(2, joined.Members.Count);
        Assert.False(joined.TopologyValidityToken!.Value.IsCancellationRequested);

        await second.ShutdownAsync();
        var left = await changes.Reader.ReadAsync(ClusterFixture.Soon());
        Assert.Equal(second.System.Id, Assert.Single(left.Left).Id);
        Assert.NotEqual(joined.TopologyHash, left.TopologyHash);
        Assert.True(joined.TopologyValidityToken.Value.IsCancellationRequested);
        Assert.Equal(first.System.Id, Assert.Single(first.MemberList.GetAllMembers()).Id);
        Assert.Equal(first.System.Id, Assert.Single(first.MemberList.GetMembersByKind(CounterActor.Kind)).Id);
    }

    [Fact]
    public async Task A_kind_that_nobody_hosts_fails_at_once()
    {
        await using var fixture = new ClusterFixture();
        var member = await fixture.StartMemberAsync();

        var failure = await Assert.ThrowsAsync<KindNotHostedException>(
            () => member.RequestAsync<Total>("x", "no such kind", new Add(), CancellationToken.None));

        Assert.Equal("no such kind", failure.Kind);
    }

    [Fact]
    public async Task A_request_that_was_not_answered_throws_and_is_not_sent_again()
    {
        await using var fixture = new ClusterFixture();
        var received = 0;
        var member = await fixture.StartMemberAsync(config => config
            .WithActorRequestTimeout(TimeSpan.FromMilliseconds(200))
            .WithClusterKind("silent", Props.FromFunc(context =>
            {
                if (context.Message is Silence) Interlocked.Increment(ref received);
                return Task.CompletedTask;
            })));

        var failure = await Assert.ThrowsAsync<TimeoutException>(
            () => member.RequestAsync<Total>("x", "silent", new Silence(), CancellationToken.None));

        Assert.Contains("may have been executed", failure.Message, StringComparison.Ordinal);
        Assert.Equal(1, received);
    }

    [Fact]
    public async Task A_request_to_an_activation_that_stopped_reaches_the_next_one()
    {
        await using var fixture = new ClusterFixture();
        var one = await fixture.StartMemberAsync();
        var two = await fixture.StartMemberAsync();
        foreach (var cluster in new[] { one, two })
        {
            await cluster.RequestAsync<Total>("x", CounterActor.Kind, new Add { Amount = 5 }, ClusterFixture.Soon());
            var pid = await cluster.GetAsync("x", CounterActor.Kind, ClusterFixture.Soon());
            cluster.System.Root.Send(pid!, new Vanish());
        }

        // Its state is gone with it (the counter keeps it in memory); that there is an answer is the point.
        var total = await one.RequestAsync<Total>("x", CounterActor.Kind, new Add { Amount = 1 }, ClusterFixture.Soon());
        Assert.InRange(total.Amount, 1, 11);
    }

    [Fact]
    public async Task When_a_member_dies_its_actors_are_found_elsewhere()
    {
        await using var fixture = new ClusterFixture();
        var one = await fixture.StartMemberAsync();
        var two = await fixture.StartMemberAsync();
        var three = await fixture.StartMemberAsync();
        var onThree = await IdentityHostedBy(three, one);

        await fixture.KillAsync(three);
        fixture.Agent.DeregisterService(three.System.Id);

        var total = await one.RequestAsync<Total>(onThree, CounterActor.Kind, new Add { Amount = 1 }, ClusterFixture.Soon());
        Assert.Contains(total.Host, new[] { one.System.Address, two.System.Address });
        Assert.Equal(1, total.Amount);
    }

    [Fact]
    public async Task A_request_under_way_to_a_member_that_dies_fails_without_waiting_for_its_timeout()
    {
        await using var fixture = new ClusterFixture();
        var one = await fixture.StartMemberAsync();
        var two = await fixture.StartMemberAsync();
        var identity = await IdentityHostedBy(two, one);

        // ActorRequestTimeout is 30 s here; so is the test's patience.
        var underWay = one.RequestAsync<Total>(identity, CounterActor.Kind, new Silence(), CancellationToken.None);
        await one.RequestAsync<Total>(identity, CounterActor.Kind, new Add(), ClusterFixture.Soon());
        await fixture.KillAsync(two);

        var failure = await Assert.ThrowsAsync<TimeoutException>(() => underWay.WaitAsync(TimeSpan.FromSeconds(20)));
        Assert.Contains("connection to its member was lost", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_caches_entries_end_with_their_member()
    {
        await using var fixture = new ClusterFixture();
        var one = await fixture.StartMemberAsync();
        var two = await fixture.StartMemberAsync();
        var identity = ClusterIdentity.Create(await IdentityHostedBy(two, one), CounterActor.Kind);
        Assert.True(one.PidCache.TryGet(identity, out _));

        await two.ShutdownAsync();

        Assert.False(one.PidCache.TryGet(identity, out _));
    }

    [Fact]
    public async Task A_refused_identity_is_named()
    {
        await using var fixture = new ClusterFixture();
        var member = await fixture.StartMemberAsync(config => config.WithClusterKind(
            new ClusterKind(CounterActor.Kind, Props.FromProducer(() => new CounterActor()))
                .WithSpawnPredicate((identity, _) => ValueTask.FromResult(identity != "bad"))));

        var refused = await Assert.ThrowsAsync<IdentityIsBlockedException>(
            () => member.RequestAsync<Total>("bad", CounterActor.Kind, new Add(), ClusterFixture.Soon()));

        Assert.Equal("bad", refused.BlockedIdentity.Identity);
        Assert.Equal(1, (await member.RequestAsync<Total>("good", CounterActor.Kind, new Add { Amount = 1 }, ClusterFixture.Soon())).Amount);
    }

    [Fact]
    public async Task An_actor_asks_a_virtual_actor_and_reenters()
    {
        await using var fixture = new ClusterFixture();
        var member = await fixture.StartMemberAsync();
        var seen = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);

        member.System.Root.Spawn(Props.FromFunc(context =>
        {
            if (context.Message is Started)
            {
                context.ClusterRequestReenter<Total>("x", CounterActor.Kind, new Add { Amount = 3 }, async task => seen.TrySetResult((await task).Amount), ClusterFixture.Soon());
            }

            return Task.CompletedTask;
        }));

        Assert.Equal(3, await seen.Task.WaitAsync(ClusterFixture.Soon()));
    }

    [Fact]
    public async Task Shutdown_completes_although_the_provider_and_the_lookup_hang()
    {
        await using var fixture = new ClusterFixture();
        var hanging = new HangingLookup();
        var member = await fixture.StartMemberAsync(config => config with { ShutdownStepTimeout = TimeSpan.FromMilliseconds(100) }, hanging);

        await member.ShutdownAsync().WaitAsync(ClusterFixture.Soon());

        Assert.True(member.ShutdownCompleted.IsCompletedSuccessfully);
    }

    [Fact]
    public async Task A_start_ends_when_the_cluster_is_shut_down_before_it_joined()
    {
        await using var fixture = new ClusterFixture();
        var client = fixture.StartClientAsync();
        Assert.False(client.IsCompleted);

        await fixture.DisposeAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => client.WaitAsync(ClusterFixture.Soon()));
    }

    static async Task<string> IdentityHostedBy(Cluster host, Cluster asker)
    {
        for (var i = 0; ; i++)
        {
            var total = await asker.RequestAsync<Total>($"probe-{i}", CounterActor.Kind, new Add(), ClusterFixture.Soon());
            if (total.Host == host.System.Address) return $"probe-{i}";
        }
    }

    sealed class HangingLookup : IIdentityLookup
    {
        readonly TaskCompletionSource _never = new();

        public Task<PID?> GetAsync(ClusterIdentity clusterIdentity, CancellationToken ct) => Task.FromResult<PID?>(null);

        public Task RemovePidAsync(ClusterIdentity clusterIdentity, PID pid, CancellationToken ct) => Task.CompletedTask;

        public Task SetupAsync(Cluster cluster, string[] kinds, bool isClient) => Task.CompletedTask;

        public Task ShutdownAsync() => _never.Task;
    }
}
