using Proto.Deterministic.Tests.Messages;

namespace Proto.Deterministic.Tests;

public class LocalTests
{
    [Fact]
    public void Actors_of_one_system_talk_on_one_thread()
    {
        using var world = new DeterministicWorld(1);
        var system = world.CreateSystem("a");
        var thread = Environment.CurrentManagedThreadId;
        var answers = new List<int>();

        world.Run(async () =>
        {
            var ponger = system.Root.Spawn(Props.FromFunc(async context =>
            {
                if (context.Message is not Ping ping) return;
                await Task.Yield();
                Assert.Equal(thread, Environment.CurrentManagedThreadId);
                context.Respond(new Pong { Number = ping.Number });
            }));
            for (var number = 0; number < 10; number++)
            {
                answers.Add((await system.Root.RequestAsync<Pong>(ponger, new Ping { Number = number })).Number);
                Assert.Equal(thread, Environment.CurrentManagedThreadId);
            }
        });

        Assert.Equal(Enumerable.Range(0, 10), answers);
    }
}
