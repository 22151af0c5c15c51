using Proto.Deterministic.Tests.Messages;
using Proto.Remote;
using Proto.Remote.GrpcNet;

namespace Proto.Deterministic.Tests.Scenarios;

/// <summary>
/// A peer that dies again and again and comes back at its address as another incarnation, sooner or later. The watchers of each incarnation
/// are told once, requests have one outcome each, messages keep their order from incarnation to incarnation.
/// </summary>
static class RestartedPeer
{
    const int Port = 4000;
    const int RequestsPerRound = 6;
    const int RequestsBeforeTheEnd = 4;

    public static void Run(DeterministicWorld world) => Run(world, new Coverage());

    public static void Run(DeterministicWorld world, Coverage coverage)
    {
        var random = world.RandomFor("faults");
        var rounds = random.Next(1, 4);
        var system = world.CreateRemote("a");
        var told = new int[rounds];
        var outcomes = new Outcomes();
        world.Run(async () =>
        {
            await system.Remote().StartAsync();
            outcomes.Observe(system);
            var requests = new List<Task>();
            for (var round = 0; round < rounds; round++)
            {
                var peer = await StartPeerAsync(world, $"b{round}", outcomes);
                Watch(system, peer, round, told);
                // Until the watch has arrived: one of an incarnation that was never there is the next one's.
                await Task.Delay(TimeSpan.FromSeconds(20), world.Time);
                for (var number = 0; number < RequestsPerRound; number++)
                {
                    if (number == RequestsBeforeTheEnd) End(world, peer, random, coverage);
                    requests.Add(RequestAsync(system, round * RequestsPerRound + number, outcomes));
                    await Task.Delay(TimeSpan.FromMicroseconds(random.Next(2000)), world.Time);
                }

                if (random.Chance(0.5)) await Task.Delay(TimeSpan.FromMilliseconds(random.Next(30_000)), world.Time);
                else coverage.Saw("restart at once");
            }

            await Task.WhenAll(requests);
            await Task.Delay(TimeSpan.FromMinutes(1), world.Time);
            outcomes.Verify(coverage);
            Check.That(told.All(times => times == 1), $"times that the watcher of each incarnation was told: {string.Join(' ', told)}");
            await Nodes.ShutDownAsync(system);
        });
        Check.NothingWaits(world);
    }

    static async Task<ActorSystem> StartPeerAsync(DeterministicWorld world, string name, Outcomes outcomes)
    {
        var peer = world.CreateSystem(name)
            .WithRemote(GrpcNetRemoteConfig.BindTo("b", Port).WithProtoMessages(TestMessagesReflection.Descriptor));
        peer.Root.SpawnNamed(Props.FromFunc(context =>
        {
            if (context.Message is not Ping ping) return Task.CompletedTask;
            outcomes.ReceivedInOrder(ping, "b");
            context.Respond(new Pong { Number = ping.Number });
            return Task.CompletedTask;
        }), "receiver");
        await world.Start(peer, peer.Remote().StartAsync);
        return peer;
    }

    static void Watch(ActorSystem system, ActorSystem peer, int round, int[] told) =>
        system.Root.SpawnNamed(Props.FromFunc(context =>
        {
            if (context.Message is Started) context.Watch(PID.FromAddress(peer.Address, "receiver"));
            if (context.Message is Terminated) told[round]++;
            return Task.CompletedTask;
        }), $"watcher-{round}");

    static Task RequestAsync(ActorSystem system, int number, Outcomes outcomes)
    {
        var ping = new Ping { Number = number, From = "a" };
        return outcomes.OfAsync(ping, () => system.Root.RequestAsync<Pong>(PID.FromAddress($"b:{Port}", "receiver"), ping));
    }

    static void End(DeterministicWorld world, ActorSystem peer, SeededRandom random, Coverage coverage)
    {
        if (random.Chance(0.5))
        {
            coverage.Saw("kill");
            world.Kill(peer);
        }
        else
        {
            coverage.Saw("power cut");
            world.CutPower(peer);
        }
    }
}
