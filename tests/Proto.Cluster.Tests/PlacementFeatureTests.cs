using Proto.Cluster.Partition;
using Proto.Cluster.Placement;
using Proto.Cluster.Tests.Messages;
using Proto.Context;
using Proto.Utils;

namespace Proto.Cluster.Tests;

public sealed class PlacementFeatureTests
{
    static readonly Props Counter = Props.FromProducer(() => new CounterActor());

    [Fact]
    public async Task An_idle_virtual_actor_ends_and_its_next_request_activates_it_again()
    {
        await using var fixture = new ClusterFixture();
        var member = await fixture.StartMemberAsync(config => config.WithClusterKind(
            CounterActor.Kind, Counter.WithPassivationContextDecorator(TimeSpan.FromMilliseconds(50))));
        var ended = new TaskCompletionSource<ActivationTerminated>(TaskCreationOptions.RunContinuationsAsynchronously);
        member.System.EventStream.Subscribe<ActivationTerminated>(activation => { ended.TrySetResult(activation); });
        await AddAsync(member, "x");

        Assert.Equal("x", (await ended.Task.WaitAsync(ClusterFixture.Soon())).ClusterIdentity.Identity);
        Assert.Equal(1, (await AddAsync(member, "x")).Amount);
    }

    [Fact]
    public async Task An_actor_with_a_receive_timeout_of_its_own_is_told_of_it_and_not_ended()
    {
        await using var system = new ActorSystem();
        var told = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var pid = system.Root.Spawn(Props.FromFunc(context =>
        {
            if (context.Message is Started) context.SetReceiveTimeout(TimeSpan.FromMilliseconds(20));
            if (context.Message is ReceiveTimeout)
            {
                context.SetReceiveTimeout(TimeSpan.FromMinutes(10));
                told.TrySetResult();
            }

            return Task.CompletedTask;
        }).WithPassivationContextDecorator(TimeSpan.FromMilliseconds(1)));

        await told.Task.WaitAsync(ClusterFixture.Soon());
        await system.Root.RequestAsync<Touched>(pid, new Touch(), ClusterFixture.Soon());
    }

    [Fact]
    public async Task With_local_affinity_an_activation_moves_to_the_member_that_uses_it()
    {
        await using var fixture = new ClusterFixture();
        Cluster[] members = [await StartAsync(), await StartAsync()];
        Assert.Equal(members[0].System.Address, (await AddAsync(members[0], "x")).Host);
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        members[1].System.EventStream.Subscribe<ActivationTerminated>(_ => { ended.TrySetResult(); });

        // Answered where it is, and from then on where it is asked for.
        Assert.Equal(members[0].System.Address, (await AddAsync(members[1], "x")).Host);
        await ended.Task.WaitAsync(ClusterFixture.Soon());
        Assert.Equal(members[1].System.Address, (await AddAsync(members[1], "x")).Host);

        Task<Cluster> StartAsync() => fixture.StartMemberAsync(
            config => config.WithClusterKind(new ClusterKind(CounterActor.Kind, Counter).WithLocalAffinityRelocationStrategy()),
            new PartitionIdentityLookup());
    }

    [Fact]
    public async Task Relocations_are_limited_by_throughput_and_by_message()
    {
        await using var fixture = new ClusterFixture();
        Cluster[] members = [await StartAsync(), await StartAsync()];
        for (var i = 0; i < 2; i++) await AddAsync(members[0], $"{i}");

        // The first request may move its activation, the second no more; silence moves nothing.
        await AddAsync(members[1], "0");
        for (var i = 0; i < 3; i++) Assert.Equal(members[0].System.Address, (await AddAsync(members[1], "1")).Host);

        Task<Cluster> StartAsync() => fixture.StartMemberAsync(
            config => config.WithClusterKind(new ClusterKind(CounterActor.Kind, Counter).WithLocalAffinityRelocationStrategy(new LocalAffinityOptions
            {
                RelocationThroughput = new ThrottleOptions(1, TimeSpan.FromHours(1)),
                TriggersLocalAffinity = envelope => envelope.Message is Add,
            })),
            new PartitionIdentityLookup());
    }

    [Fact]
    public async Task A_client_forgets_an_activation_that_ends_before_it_asks_again()
    {
        await using var fixture = new ClusterFixture();
        var member = await fixture.StartMemberAsync(config => config.WithClusterKind(new ClusterKind(CounterActor.Kind, Counter).WithPidCacheInvalidation()));
        var client = await fixture.StartClientAsync();
        var identity = ClusterIdentity.Create("x", CounterActor.Kind);
        await AddAsync(client, "x");
        Assert.True(client.PidCache.TryGet(identity, out var pid));

        await member.System.Root.StopAsync(pid);
        // Its reply comes behind the news, on the same connection.
        await AddAsync(client, "y");

        Assert.False(client.PidCache.TryGet(identity, out _));
    }

    [Fact]
    public async Task Diagnostics_tell_what_is_hosted_and_whom_a_hand_over_waits_for()
    {
        await using var fixture = new ClusterFixture();
        var byHand = new TopologyByHand();
        var member = await fixture.StartMemberAsync(provider: byHand);
        var silent = await fixture.StartMemberAsync(provider: new TopologyByHand());
        await AddAsync(member, "x");
        byHand.See(member, silent);

        var facts = Assert.IsType<PlacementDiagnostics>(Assert.Single(await member.GetDiagnostics(), entry => entry.Module == "$partition-activator").Data);
        Assert.InRange(facts.Activations, 0, 1); // it may be the other's now
        Assert.Equal([silent.System.Address], facts.WaitsFor);
    }

    [Fact]
    public async Task Metrics_name_the_kind_the_message_and_where_the_pid_came_from()
    {
        await using var fixture = new ClusterFixture();
        var measured = new List<(string Instrument, string? Kind, string? Source)>();
        using var listener = new System.Diagnostics.Metrics.MeterListener();
        var member = await fixture.StartMemberAsync(
            config => config.WithClusterKind(CounterActor.Kind, Counter), configureSystem: config => config.WithMetrics());
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Meter.Name == ClusterMetrics.MeterName) self.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<double>((instrument, _, tags, _) =>
        {
            var byName = tags.ToArray().ToDictionary(tag => tag.Key, tag => tag.Value as string, StringComparer.Ordinal);
            if (byName["id"] != member.System.Id) return;
            lock (measured) measured.Add((instrument.Name, byName.GetValueOrDefault("clusterkind"), byName.GetValueOrDefault("pidsource")));
        });
        listener.Start();

        await AddAsync(member, "x");
        await AddAsync(member, "x");

        lock (measured)
        {
            Assert.Contains(("protocluster_virtualactor_spawn_duration", CounterActor.Kind, null), measured);
            Assert.Contains(("protocluster_resolve_pid_duration", CounterActor.Kind, null), measured);
            Assert.Contains(("protocluster_virtualactor_requestasync_duration", CounterActor.Kind, "lookup"), measured);
            Assert.Contains(("protocluster_virtualactor_requestasync_duration", CounterActor.Kind, "cache"), measured);
        }
    }

    static Task<Total> AddAsync(Cluster from, string identity) =>
        from.RequestAsync<Total>(identity, CounterActor.Kind, new Add { Amount = 1 }, ClusterFixture.Soon());
}
