using Programs.Messages;
using Proto;
using Proto.Remote;
using Proto.Remote.GrpcNet;

namespace Programs;

/// <summary>Remote spawn of a known kind, requests, and the watch of an actor whose node stops.</summary>
public static class RemotePingPong
{
    public static async Task RunAsync(TextWriter output)
    {
        var ponger = Props.FromFunc(context =>
        {
            if (context.Message is Ping ping) context.Respond(new Pong { Number = ping.Number });
            return Task.CompletedTask;
        });
        await using var there = new ActorSystem().WithRemote(GrpcNetRemoteConfig
            .BindToLocalhost()
            .WithProtoMessages(MessagesReflection.Descriptor)
            .WithRemoteKinds(("ponger", ponger)));
        await there.Remote().StartAsync();

        await using var here = new ActorSystem().WithRemote(GrpcNetRemoteConfig
            .BindToLocalhost()
            .WithProtoMessages(MessagesReflection.Descriptor)
            .WithEndpointWriterMaxRetries(2));
        await here.Remote().StartAsync();

        var spawned = await here.Remote().SpawnNamedAsync(there.Address, "p1", "ponger", TimeSpan.FromSeconds(10));
        await output.WriteLineAsync($"spawn: {(ResponseStatusCode)spawned.StatusCode}");
        var again = await here.Remote().SpawnNamedAsync(there.Address, "p1", "ponger", TimeSpan.FromSeconds(10));
        await output.WriteLineAsync($"spawn again: {(ResponseStatusCode)again.StatusCode}");

        var sum = 0;
        for (var i = 1; i <= 100; i++) sum += (await here.Root.RequestAsync<Pong>(spawned.Pid, new Ping { Number = i }, TimeSpan.FromSeconds(10))).Number;
        await output.WriteLineAsync($"sum {sum}");

        var gone = new TaskCompletionSource<Terminated>();
        var watching = new TaskCompletionSource();
        here.Root.Spawn(Props.FromFunc(context =>
        {
            switch (context.Message)
            {
                case Started:
                    context.Watch(spawned.Pid);
                    watching.TrySetResult();
                    break;
                case Terminated terminated:
                    gone.TrySetResult(terminated);
                    break;
            }

            return Task.CompletedTask;
        }));
        await watching.Task;
        await here.Root.RequestAsync<Pong>(spawned.Pid, new Ping { Number = 0 }, TimeSpan.FromSeconds(10));
        await there.Remote().ShutdownAsync();
        var terminated = await gone.Task.WaitAsync(TimeSpan.FromSeconds(20));
        await output.WriteLineAsync($"{terminated.Who.Id}: {terminated.Why}");
        await here.Remote().ShutdownAsync();
    }
}
