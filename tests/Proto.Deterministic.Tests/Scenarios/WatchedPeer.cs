using Proto.Remote;

namespace Proto.Deterministic.Tests.Scenarios;

/// <summary>Actors of one system watch actors of another, which is killed, loses its power, is cut off, or stops them: every watcher is told once.</summary>
static class WatchedPeer
{
    const int Watchers = 4;

    public static void Run(DeterministicWorld world) => Run(world, new Coverage());

    public static void Run(DeterministicWorld world, Coverage coverage)
    {
        var watching = world.CreateRemote("a");
        var watched = world.CreateRemote("b");
        var random = world.RandomFor("faults");
        var told = new int[Watchers];
        world.Run(async () =>
        {
            await watching.Remote().StartAsync();
            await watched.Remote().StartAsync();
            for (var index = 0; index < Watchers; index++)
            {
                var own = index;
                var target = watched.Root.SpawnNamed(Props.FromFunc(_ => Task.CompletedTask), $"watched-{index}");
                watching.Root.SpawnNamed(Props.FromFunc(context =>
                {
                    if (context.Message is Started) context.Watch(PID.FromAddress(watched.Address, target.Id));
                    if (context.Message is Terminated terminated)
                    {
                        told[own]++;
                        coverage.Saw(terminated.Why.ToString());
                    }

                    return Task.CompletedTask;
                }), $"watcher-{index}");
            }

            // From before the first connection to long after.
            await Task.Delay(TimeSpan.FromMicroseconds(random.Next(3000)), world.Time);
            switch (random.Next(4))
            {
                case 0: world.Kill(watched); break;
                case 1: world.CutPower(watched); break;
                case 2: world.Network.Isolate("a", "b"); break;
                case 3:
                    for (var index = 0; index < Watchers; index++) watched.Root.Stop(PID.FromAddress(watched.Address, $"watched-{index}"));
                    if (random.Chance(0.5)) world.Network.Reset("a", "b");
                    break;
            }

            await Task.Delay(TimeSpan.FromMinutes(2), world.Time);
            Check.That(told.All(times => times == 1), $"times that each watcher was told: {string.Join(' ', told)}");
            await Nodes.ShutDownAsync(watching);
            world.Kill(watched);
        });
        Check.NothingWaits(world);
    }
}
