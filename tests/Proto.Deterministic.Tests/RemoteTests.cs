using Proto.Deterministic.Tests.Messages;
using Proto.Remote;
using Proto.Remote.GrpcNet;
using Xunit.Abstractions;

namespace Proto.Deterministic.Tests;

public class RemoteTests(ITestOutputHelper output)
{
    [Fact]
    public void Two_systems_talk_over_the_simulated_network()
    {
        using var world = new DeterministicWorld(1);
        world.Trace.Listener = output.WriteLine;
        var a = world.CreateSystem("a").WithRemote(GrpcNetRemoteConfig.BindToLocalhost().WithProtoMessages(TestMessagesReflection.Descriptor));
        var b = world.CreateSystem("b").WithRemote(GrpcNetRemoteConfig.BindToLocalhost().WithProtoMessages(TestMessagesReflection.Descriptor));
        var answers = new List<int>();

        world.Run(async () =>
        {
            await a.Remote().StartAsync();
            await b.Remote().StartAsync();
            var ponger = b.Root.SpawnNamed(Props.FromFunc(context =>
            {
                if (context.Message is Ping ping) context.Respond(new Pong { Number = ping.Number });
                return Task.CompletedTask;
            }), "ponger");
            for (var number = 0; number < 3; number++)
                answers.Add((await a.Root.RequestAsync<Pong>(PID.FromAddress(b.Address, ponger.Id), new Ping { Number = number })).Number);
            await Task.WhenAll(Enumerable.Range(0, 3).Select(number => a.Root.RequestAsync<Pong>(PID.FromAddress(b.Address, ponger.Id), new Ping { Number = number })));
            await a.Remote().ShutdownAsync();
            await b.Remote().ShutdownAsync();
            await a.ShutdownAsync();
            await b.ShutdownAsync();
        });

        Assert.Equal([0, 1, 2], answers);
        world.RunFor(TimeSpan.FromMinutes(1));
        Assert.Empty(world.Leftovers());
        output.WriteLine($"{world.Steps}");
    }
}
