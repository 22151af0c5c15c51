using Proto.Deterministic.Tests.Messages;

namespace Proto.Deterministic.Tests.Scenarios;

/// <summary>Pairs of actors in one system: each sender's messages arrive in its order, each request has its own answer.</summary>
static class PingPong
{
    const int Senders = 3;
    const int Messages = 8;

    public static void Run(DeterministicWorld world)
    {
        var system = world.CreateSystem("a");
        var received = Enumerable.Range(0, Senders).Select(_ => new List<int>()).ToArray();
        world.Run(async () =>
        {
            var receiver = system.Root.SpawnNamed(Props.FromFunc(async context =>
            {
                if (context.Message is not Ping ping) return;
                if (ping.Number % 3 == 0) await Task.Yield();
                received[int.Parse(ping.From, null)].Add(ping.Number);
                context.Respond(new Pong { Number = ping.Number });
            }), "receiver");
            await Task.WhenAll(Enumerable.Range(0, Senders).Select(sender => SendAsync(system, receiver, $"{sender}")));
            await system.ShutdownAsync();
        });

        foreach (var numbers in received)
            Check.That(numbers.SequenceEqual(Enumerable.Range(0, Messages)), $"sent in order, received {string.Join(' ', numbers)}");
        Check.NothingWaits(world);
    }

    /// <summary>An actor that has sent everything before it awaits anything.</summary>
    static async Task SendAsync(ActorSystem system, PID receiver, string name)
    {
        var done = new TaskCompletionSource();
        system.Root.SpawnNamed(Props.FromFunc(async context =>
        {
            if (context.Message is not Started) return;
            var answers = Enumerable.Range(0, Messages)
                .Select(number => context.RequestAsync<Pong>(receiver, new Ping { Number = number, From = name }, CancellationToken.None))
                .ToArray();
            for (var number = 0; number < Messages; number++)
                Check.That((await answers[number]).Number == number, $"the answer to {number} is another's");
            done.SetResult();
        }), $"sender-{name}");
        await done.Task;
    }
}
