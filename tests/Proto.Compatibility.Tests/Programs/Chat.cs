using Programs.Messages;
using Proto;
using Proto.Remote;
using Proto.Remote.GrpcNet;

namespace Programs;

/// <summary>A chat server and two clients in systems of their own.</summary>
public static class Chat
{
    public static async Task RunAsync(TextWriter output)
    {
        await using var server = await StartAsync();
        server.Root.SpawnNamed(Props.FromProducer(() => new Server()), "chatserver");

        var heardByBob = new TaskCompletionSource();
        await using var alice = await StartAsync();
        await using var bob = await StartAsync();
        var first = await ConnectAsync(alice, "alice", _ => { });
        var second = await ConnectAsync(bob, "bob", text =>
        {
            if (text.EndsWith("how are you?", StringComparison.Ordinal)) heardByBob.TrySetResult();
        });

        alice.Root.Send(first, new Say { User = "alice", Text = "hello" });
        alice.Root.Send(first, new Nick { From = "alice", To = "Alice" });
        alice.Root.Send(first, new Say { User = "Alice", Text = "how are you?" });
        await heardByBob.Task.WaitAsync(TimeSpan.FromSeconds(20));
        await alice.Remote().ShutdownAsync();
        await bob.Remote().ShutdownAsync();
        await server.Remote().ShutdownAsync();
        GC.KeepAlive(second);

        async Task<PID> ConnectAsync(ActorSystem system, string name, Action<string> heard)
        {
            var connected = new TaskCompletionSource();
            var chat = PID.FromAddress(server.Address, "chatserver");
            var client = system.Root.Spawn(Props.FromFunc(context =>
            {
                switch (context.Message)
                {
                    case Started:
                        context.Send(chat, new Connect { Client = context.Self });
                        break;
                    case Connected welcome:
                        output.WriteLine($"{name} < {welcome.Text}");
                        connected.TrySetResult();
                        break;
                    case Say say when context.Sender is null:
                        context.Send(chat, new Say { User = say.User, Text = say.Text });
                        break;
                    case Nick nick when context.Sender is null:
                        context.Send(chat, nick);
                        break;
                    case Say say:
                        if (name == "bob") output.WriteLine($"{name} < {say.User}: {say.Text}");
                        heard(say.Text);
                        break;
                    case Nick nick:
                        if (name == "bob") output.WriteLine($"{name} < {nick.From} is now {nick.To}");
                        break;
                }

                return Task.CompletedTask;
            }));
            await connected.Task.WaitAsync(TimeSpan.FromSeconds(20));
            return client;
        }
    }

    private static async Task<ActorSystem> StartAsync()
    {
        var config = GrpcNetRemoteConfig.BindToLocalhost().WithProtoMessages(MessagesReflection.Descriptor);
        var system = new ActorSystem().WithRemote(config);
        await system.Remote().StartAsync();
        return system;
    }

    private class Server : IActor
    {
        private readonly HashSet<PID> _clients = new();

        public Task ReceiveAsync(IContext context)
        {
            switch (context.Message)
            {
                case Connect connect:
                    _clients.Add(connect.Client);
                    context.Send(connect.Client, new Connected { Text = "Welcome!" });
                    break;
                case Say or Nick:
                    foreach (var client in _clients) context.Request(client, context.Message);
                    break;
            }

            return Task.CompletedTask;
        }
    }
}
