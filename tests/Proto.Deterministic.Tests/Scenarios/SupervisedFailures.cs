using Proto.Deterministic.Tests.Messages;

namespace Proto.Deterministic.Tests.Scenarios;

/// <summary>An actor that fails now and then, restarted with a growing back-off: it loses the messages that it failed on and no others.</summary>
static class SupervisedFailures
{
    const int Messages = 30;

    public static void Run(DeterministicWorld world)
    {
        var system = world.CreateSystem("a");
        var random = world.RandomFor("failures");
        var failing = Enumerable.Range(0, Messages).Where(_ => random.Chance(0.2)).ToHashSet();
        var handled = new List<int>();
        var instances = 0;
        world.Run(async () =>
        {
            var child = Props
                .FromProducer(() =>
                {
                    instances++;
                    return new Worker(failing, handled);
                });
            var strategy = new ExponentialBackoffStrategy(TimeSpan.FromSeconds(5), TimeSpan.FromMilliseconds(100));
            var worker = system.Root.SpawnNamed(child.WithGuardianSupervisorStrategy(strategy), "worker");
            for (var number = 0; number < Messages; number++)
            {
                system.Root.Send(worker, new Ping { Number = number });
                if (random.Chance(0.3)) await Task.Delay(TimeSpan.FromMilliseconds(random.Next(50)), world.Time);
            }

            await system.Root.PoisonAsync(worker);
            await system.ShutdownAsync();
        });

        Check.That(handled.SequenceEqual(Enumerable.Range(0, Messages).Where(number => !failing.Contains(number))), "a message was lost or overtook another");
        Check.That(instances == failing.Count + 1, $"{failing.Count} failures, {instances} instances");
        Check.That(failing.Count == 0 || world.Now >= TimeSpan.FromMilliseconds(50), "the back-off took no time");
        Check.NothingWaits(world);
    }

    sealed class Worker(HashSet<int> failing, List<int> handled) : IActor
    {
        public Task ReceiveAsync(IContext context)
        {
            if (context.Message is not Ping ping) return Task.CompletedTask;
            if (failing.Contains(ping.Number)) throw new InvalidOperationException($"fails on {ping.Number}");
            handled.Add(ping.Number);
            return Task.CompletedTask;
        }
    }
}
