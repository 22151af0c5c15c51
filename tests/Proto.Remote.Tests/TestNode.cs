using System.Threading.Channels;
using Proto.Remote.GrpcNet;
using Proto.Remote.Tests.Messages;

namespace Proto.Remote.Tests;

/// <summary>An actor system with remoting on a loopback port, and helpers that wait for events.</summary>
sealed class TestNode : IAsyncDisposable
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    TestNode(ActorSystem system) => System = system;

    public ActorSystem System { get; }

    public string Address => System.Address;

    public IRootContext Root => System.Root;

    public static async Task<TestNode> StartAsync(
        Func<GrpcNetRemoteConfig, GrpcNetRemoteConfig>? configure = null, int port = 0, Action<TestNode>? prepare = null, ActorSystemConfig? systemConfig = null)
    {
        var config = GrpcNetRemoteConfig.BindToLocalhost(port).WithProtoMessages(TestMessagesReflection.Descriptor);
        var system = new ActorSystem(systemConfig ?? ActorSystemConfig.Setup()).WithRemote(configure?.Invoke(config) ?? config);
        var node = new TestNode(system);
        prepare?.Invoke(node);
        await node.System.Remote().StartAsync();
        return node;
    }

    public static async Task<TestNode> StartClientAsync(
        Func<GrpcNetRemoteConfig, GrpcNetRemoteConfig>? configure = null, ActorSystemConfig? systemConfig = null)
    {
        var config = GrpcNetRemoteConfig.BindToLocalhost().WithProtoMessages(TestMessagesReflection.Descriptor);
        var system = new ActorSystem(systemConfig ?? ActorSystemConfig.Setup()).WithClientRemote(configure?.Invoke(config) ?? config);
        await system.Remote().StartAsync();
        return new TestNode(system);
    }

    public static CancellationToken Soon() => new CancellationTokenSource(Patience).Token;

    /// <summary>Spawns an actor that puts what it receives into a channel.</summary>
    public ChannelReader<object> SpawnInbox(string name, out PID pid)
    {
        var inbox = Channel.CreateUnbounded<object>();
        pid = Root.SpawnNamed(
            Props.FromFunc(context =>
            {
                if (context.Message is not (Started or Stopping or Stopped)) inbox.Writer.TryWrite(context.Message!);
                return Task.CompletedTask;
            }),
            name);
        return inbox.Reader;
    }

    public PID SpawnEcho(string name = "echo") => Root.SpawnNamed(
        Props.FromFunc(context =>
        {
            if (context.Message is Ping ping) context.Respond(new Pong { Number = ping.Number, Text = ping.Text, Body = ping.Body });
            return Task.CompletedTask;
        }),
        name);

    /// <summary>Events of one type from now on.</summary>
    public ChannelReader<T> Events<T>() where T : notnull
    {
        var events = Channel.CreateUnbounded<T>();
        System.EventStream.Subscribe<T>(published => { events.Writer.TryWrite(published); });
        return events.Reader;
    }

    public PID Of(string id) => PID.FromAddress(Address, id);

    /// <summary>Ends as a killed process does: no word to anybody.</summary>
    public Task KillAsync() => System.Remote().ShutdownAsync(graceful: false);

    public async ValueTask DisposeAsync()
    {
        await System.Remote().ShutdownAsync();
        await System.DisposeAsync();
    }
}
