using Proto.Cluster;
using Proto.Cluster.PartitionActivator;
using Proto.Cluster.Testing;
using Proto.Deterministic.Tests.Messages;

namespace Proto.Deterministic.Tests.Scenarios;

/// <summary>
/// Three to five members and virtual actors on them, while a member is killed, loses its power, is paused, or two of them are cut off from each other. Each request has exactly one
/// outcome and is executed at most once; when the faults are over, all identities answer again.
/// </summary>
static class ClusterUnderFaults
{
    const string Kind = "counter";
    const int Identities = 4;
    const int RequestsPerClient = 8;

    public static void Run(DeterministicWorld world) => Run(world, new Coverage());

    public static void Run(DeterministicWorld world, Coverage coverage)
    {
        var random = world.RandomFor("faults");
        var agent = new InMemAgent();
        var outcomes = new Outcomes();
        var members = Enumerable.Range(0, random.Next(3, 6)).Select(index => Member(world, agent, $"m{index}", outcomes)).ToList();
        world.Run(async () =>
        {
            foreach (var member in members) await world.Start(member.System, member.StartMemberAsync);

            var survivors = members[..2];
            var faults = InjectAsync(world, random, agent, members, coverage);
            await Task.WhenAll(survivors.Select((member, index) => ClientAsync(world, member, $"client-{index}", outcomes)));
            await faults;
            world.Network.MendAll();
            outcomes.Verify(coverage);

            await Task.Delay(TimeSpan.FromSeconds(40), world.Time);
            for (var identity = 0; identity < Identities; identity++)
                await survivors[0].RequestAsync<Pong>($"{identity}", Kind, new Ping { From = $"after/{identity}" }, new CancellationTokenSource(TimeSpan.FromSeconds(30), world.Time).Token);
            foreach (var member in members.Where(member => !member.System.Shutdown.IsCancellationRequested && agent.Has(member)))
                await member.ShutdownAsync();
        }, TimeSpan.FromMinutes(30));
        foreach (var member in members) world.Kill(member.System);
        Check.NothingWaits(world);
    }

    static Cluster.Cluster Member(DeterministicWorld world, InMemAgent agent, string name, Outcomes outcomes) =>
        world.CreateRemote(name)
            .WithCluster(ClusterConfig
                .Setup("test", new TestProvider(new TestProviderOptions(), agent), new PartitionActivatorLookup(TimeSpan.FromSeconds(2)))
                .WithActorRequestTimeout(TimeSpan.FromSeconds(5))
                .WithClusterKind(Kind, Props.FromFunc(context =>
                {
                    if (context.Message is not Ping ping) return Task.CompletedTask;
                    outcomes.Received(ping);
                    context.Respond(new Pong { Host = context.System.Address });
                    return Task.CompletedTask;
                })))
            .Cluster();

    static bool Has(this InMemAgent agent, Cluster.Cluster member) =>
        agent.GetServices().Any(service => string.Equals(service.Id, member.System.Id, StringComparison.Ordinal));

    static async Task ClientAsync(DeterministicWorld world, Cluster.Cluster member, string name, Outcomes outcomes)
    {
        var random = world.RandomFor(name);
        var requests = new List<Task>();
        for (var number = 0; number < RequestsPerClient; number++)
        {
            var ping = new Ping { Number = number, From = name };
            var identity = $"{random.Next(Identities)}";
            var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20), world.Time);
            requests.Add(outcomes.OfAsync(ping, () => member.RequestAsync<Pong>(identity, Kind, ping, patience.Token)));
            if (random.Chance(0.7)) await Task.Delay(TimeSpan.FromMilliseconds(random.Next(1, 1500)), world.Time);
        }

        await Task.WhenAll(requests);
    }

    /// <summary>The agent plays the failure detector: it takes a lost member out after a while. The first two members survive.</summary>
    static async Task InjectAsync(DeterministicWorld world, SeededRandom random, InMemAgent agent, List<Cluster.Cluster> members, Coverage coverage)
    {
        await Task.Delay(TimeSpan.FromMilliseconds(random.Next(1, 3000)), world.Time);
        var victim = members[^1];
        switch (random.Next(5))
        {
            case 0:
                coverage.Saw("kill");
                world.Kill(victim.System);
                await DetectAsync(world, random, agent, victim);
                break;
            case 1:
                coverage.Saw("power cut");
                world.CutPower(victim.System);
                await DetectAsync(world, random, agent, victim);
                break;
            case 2:
                coverage.Saw("partition");
                world.Network.Isolate("m0", "m1", "m2");
                await Task.Delay(TimeSpan.FromMilliseconds(random.Next(1, 30_000)), world.Time);
                break;
            case 3:
                coverage.Saw("pause");
                world.Pause(victim.System);
                await Task.Delay(TimeSpan.FromMilliseconds(random.Next(1, 30_000)), world.Time);
                world.Resume(victim.System);
                break;
            case 4:
                coverage.Saw("leave");
                await victim.ShutdownAsync();
                break;
        }
    }

    static async Task DetectAsync(DeterministicWorld world, SeededRandom random, InMemAgent agent, Cluster.Cluster victim)
    {
        await Task.Delay(TimeSpan.FromMilliseconds(random.Next(1, 10_000)), world.Time);
        agent.DeregisterService(victim.System.Id);
    }
}
