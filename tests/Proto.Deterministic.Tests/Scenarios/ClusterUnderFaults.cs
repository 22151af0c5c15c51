using Proto.Cluster;
using Proto.Cluster.Identity;
using Proto.Cluster.Partition;
using Proto.Cluster.PartitionActivator;
using Proto.Cluster.Testing;
using Proto.Deterministic.Tests.Messages;

namespace Proto.Deterministic.Tests.Scenarios;

/// <summary>
/// Three to five members and virtual actors on them, while a member is killed, loses its power, leaves, is paused, or two are cut off from
/// each other. Each request has exactly one outcome and is executed at most once; an identity runs once at a time; when the faults are over,
/// all identities answer again.
/// </summary>
sealed class ClusterUnderFaults
{
    const string Kind = "counter";
    const int Identities = 4;
    const int RequestsPerClient = 8;

    readonly DeterministicWorld _world;
    readonly Coverage _coverage;
    readonly SeededRandom _random;
    readonly InMemAgent _agent = new();
    readonly Outcomes _outcomes = new();
    readonly Activations _activations = new();
    readonly List<Cluster.Cluster> _members;
    readonly HashSet<Cluster.Cluster> _ended = [];

    ClusterUnderFaults(DeterministicWorld world, Coverage coverage)
    {
        _world = world;
        _coverage = coverage;
        _random = world.RandomFor("faults");
        var ownersRemember = _random.Chance(0.5);
        coverage.Saw(ownersRemember ? nameof(PartitionIdentityLookup) : nameof(PartitionActivatorLookup));
        _members = Enumerable.Range(0, _random.Next(3, 6)).Select(index => CreateMember($"m{index}", ownersRemember)).ToList();
    }

    public static void Run(DeterministicWorld world) => Run(world, new Coverage());

    public static void Run(DeterministicWorld world, Coverage coverage)
    {
        var cluster = new ClusterUnderFaults(world, coverage);
        world.Run(cluster.RunAsync, TimeSpan.FromMinutes(30));
        Check.NothingWaits(world);
    }

    async Task RunAsync()
    {
        foreach (var member in _members) await _world.Start(member.System, member.StartMemberAsync);

        // The first two survive.
        var faults = InjectAsync(_members[^1]);
        await Task.WhenAll(_members[..2].Select((member, index) => RequestAsync(member, $"client-{index}")));
        await faults;
        _world.Network.MendAll();
        _outcomes.Verify(_coverage);

        await Task.Delay(TimeSpan.FromSeconds(40), _world.Time);
        for (var identity = 0; identity < Identities; identity++)
            await _members[0].RequestAsync<Pong>($"{identity}", Kind, new Ping { From = $"after/{identity}" }, Within(TimeSpan.FromSeconds(30)));
        foreach (var member in _members.Where(member => !_ended.Contains(member))) await member.ShutdownAsync();
        _activations.Verify();
    }

    Cluster.Cluster CreateMember(string name, bool ownersRemember)
    {
        IIdentityLookup lookup = ownersRemember ? new PartitionIdentityLookup() : new PartitionActivatorLookup(TimeSpan.FromSeconds(2));
        return _world.CreateRemote(name)
            .WithCluster(ClusterConfig
                .Setup("test", new TestProvider(new TestProviderOptions(), _agent), lookup)
                .WithActorRequestTimeout(TimeSpan.FromSeconds(5))
                .WithClusterKind(Kind, Props.FromFunc(Receive)))
            .Cluster();
    }

    Task Receive(IContext context)
    {
        switch (context.Message)
        {
            case Started: _activations.Started(context.ClusterIdentity()!.Identity, context.System); break;
            case Stopped: _activations.Stopped(context.ClusterIdentity()!.Identity, context.System); break;
            case Ping ping:
                _outcomes.Received(ping);
                context.Respond(new Pong { Host = context.System.Address });
                break;
        }

        return Task.CompletedTask;
    }

    async Task RequestAsync(Cluster.Cluster member, string name)
    {
        var random = _world.RandomFor(name);
        var requests = new List<Task>();
        for (var number = 0; number < RequestsPerClient; number++)
        {
            var ping = new Ping { Number = number, From = name };
            var identity = $"{random.Next(Identities)}";
            var patience = Within(TimeSpan.FromSeconds(20));
            requests.Add(_outcomes.OfAsync(ping, () => member.RequestAsync<Pong>(identity, Kind, ping, patience)));
            if (random.Chance(0.7)) await Task.Delay(TimeSpan.FromMilliseconds(random.Next(1, 1500)), _world.Time);
        }

        await Task.WhenAll(requests);
    }

    async Task InjectAsync(Cluster.Cluster victim)
    {
        await Task.Delay(TimeSpan.FromMilliseconds(_random.Next(1, 3000)), _world.Time);
        switch (_random.Next(5))
        {
            case 0:
                _coverage.Saw("kill");
                _world.Kill(victim.System);
                await LostAsync(victim);
                break;
            case 1:
                _coverage.Saw("power cut");
                _world.CutPower(victim.System);
                await LostAsync(victim);
                break;
            case 2:
                _coverage.Saw("leave");
                _ended.Add(victim);
                await victim.ShutdownAsync();
                break;
            case 3:
                _coverage.Saw("partition");
                _world.Network.Isolate("m0", "m1", "m2");
                await Task.Delay(TimeSpan.FromMilliseconds(_random.Next(1, 30_000)), _world.Time);
                break;
            case 4:
                _coverage.Saw("pause");
                _world.Pause(victim.System);
                await Task.Delay(TimeSpan.FromMilliseconds(_random.Next(1, 30_000)), _world.Time);
                _world.Resume(victim.System);
                break;
        }
    }

    /// <summary>The agent plays the failure detector: it takes the lost member out after a while.</summary>
    async Task LostAsync(Cluster.Cluster victim)
    {
        _ended.Add(victim);
        _activations.Died(victim.System);
        await Task.Delay(TimeSpan.FromMilliseconds(_random.Next(1, 10_000)), _world.Time);
        _agent.DeregisterService(victim.System.Id);
    }

    CancellationToken Within(TimeSpan time) => new CancellationTokenSource(time, _world.Time).Token;
}
