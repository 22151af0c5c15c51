using Proto.Deterministic.Tests.Messages;
using Proto.Remote;

namespace Proto.Deterministic.Tests.Scenarios;

/// <summary>
/// Two systems and a client of one, senders on all, while connections are reset, links cut, slowed, and a peer stops reading. Whatever happens: messages of one
/// sender keep their order and come at most once, each request has exactly one outcome, and what is said to be undelivered is.
/// </summary>
static class RemoteTraffic
{
    const int SendersPerSide = 2;
    const int Messages = 15;

    static readonly (string From, string To)[] Links = [("a", "b"), ("b", "a"), ("a", "c"), ("c", "a")];

    public static void Run(DeterministicWorld world) => Run(world, new Coverage());

    public static void Run(DeterministicWorld world, Coverage coverage)
    {
        ActorSystem[] systems = [world.CreateRemote("a"), world.CreateRemote("b")];
        var client = world.CreateClient("c");
        var outcomes = new Outcomes();
        world.Run(async () =>
        {
            foreach (var system in systems)
            {
                await system.Remote().StartAsync();
                outcomes.Observe(system);
                system.Root.SpawnNamed(Props.FromFunc(context =>
                {
                    if (context.Message is not Ping ping) return Task.CompletedTask;
                    outcomes.ReceivedInOrder(ping, context.System.Address);
                    context.Respond(new Pong { Number = ping.Number });
                    return Task.CompletedTask;
                }), "receiver");
            }

            await client.Remote().StartAsync();
            var faults = InjectAsync(world, coverage);
            await Task.WhenAll(systems.SelectMany((system, index) => Enumerable.Range(0, SendersPerSide)
                .Select(sender => SendAsync(world, system, systems[1 - index], $"{sender}", outcomes)))
                .Append(SendAsync(world, client, systems[0], "client", outcomes)));
            await faults;
            world.Network.MendAll();
            outcomes.Verify(coverage);

            // Mended: what is sent now gets through.
            await Task.Delay(TimeSpan.FromSeconds(30), world.Time);
            var answer = await systems[0].Root.RequestAsync<Pong>(PID.FromAddress(systems[1].Address, "receiver"), new Ping { Number = 1, From = "last" });
            Check.That(answer.Number == 1, "a mended network");
            await Nodes.ShutDownAsync([client, .. systems]);
        });
        Check.NothingWaits(world);
    }

    static async Task SendAsync(DeterministicWorld world, ActorSystem system, ActorSystem to, string name, Outcomes outcomes)
    {
        var random = world.RandomFor($"sender/{system.Address}/{name}");
        var receiver = PID.FromAddress(to.Address, "receiver");
        var requests = new List<Task>();
        for (var number = 0; number < Messages; number++)
        {
            var ping = new Ping { Number = number, From = $"{system.Address}/{name}" };
            if (random.Chance(0.5)) requests.Add(outcomes.OfAsync(ping, () => system.Root.RequestAsync<Pong>(receiver, ping)));
            else system.Root.Send(receiver, ping);
            if (random.Chance(0.5)) await Task.Delay(TimeSpan.FromMilliseconds(random.Next(1, 400)), world.Time);
        }

        await Task.WhenAll(requests);
    }

    static async Task InjectAsync(DeterministicWorld world, Coverage coverage)
    {
        var random = world.RandomFor("faults");
        var network = world.Network;
        for (var fault = random.Next(4); fault > 0; fault--)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(1, 1000)), world.Time);
            var (from, to) = random.Pick(Links);
            switch (random.Next(5))
            {
                case 0: network.Reset(from, to); coverage.Saw("reset"); break;
                case 1: network.Cut(from, to); coverage.Saw("one-way cut"); break;
                case 2: network.Isolate(from, to); coverage.Saw("cut"); break;
                case 3: network.Slow(from, to, TimeSpan.FromMilliseconds(random.Next(500))); coverage.Saw("slow link"); break;
                case 4: network.StopReading(to); coverage.Saw("peer that does not read"); break;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(random.Next(1, 20_000)), world.Time);
            if (random.Chance(0.5)) network.MendAll();
        }
    }
}
