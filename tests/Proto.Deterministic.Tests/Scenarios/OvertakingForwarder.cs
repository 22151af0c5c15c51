using Proto.Deterministic.Tests.Messages;

namespace Proto.Deterministic.Tests.Scenarios;

/// <summary>
/// Wrong on purpose: a forwarder that does not wait for its own work, so that a message may overtake another. A scheduler that runs
/// continuations in the order in which they came would never show it.
/// </summary>
static class OvertakingForwarder
{
    public static void Run(DeterministicWorld world)
    {
        var system = world.CreateSystem("a");
        var outcomes = new Outcomes();
        world.Run(async () =>
        {
            var receiver = system.Root.SpawnNamed(Props.FromFunc(context =>
            {
                if (context.Message is Ping ping) outcomes.ReceivedInOrder(ping, "receiver");
                return Task.CompletedTask;
            }), "receiver");
            var forwarder = system.Root.SpawnNamed(Props.FromFunc(context =>
            {
                if (context.Message is Ping ping) _ = ForwardAsync(context.System, receiver, ping);
                return Task.CompletedTask;
            }), "forwarder");
            system.Root.Send(forwarder, new Ping { Number = 1 });
            system.Root.Send(forwarder, new Ping { Number = 2 });
            await Task.Delay(TimeSpan.FromSeconds(1), world.Time);
            outcomes.Verify(new Coverage());
        });
    }

    static async Task ForwardAsync(ActorSystem system, PID receiver, Ping ping)
    {
        await Task.Yield();
        system.Root.Send(receiver, ping);
    }
}
