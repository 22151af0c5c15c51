using System.Globalization;
using Proto.Benchmarks.Cluster;
using Proto.Benchmarks.Measuring;
using Proto.Benchmarks.Messages;
using Proto.Remote;
using Proto.Remote.GrpcNet;

namespace Proto.Benchmarks.Remote;

/// <summary>The other process: its actors answer and count, its HTTP/2 endpoint gives the baselines. It ends when its standard input does.</summary>
static class Peer
{
    /// <summary>The hidden verb under which this program is that process.</summary>
    public const string Verb = "serve-peer";

    public const string Echo = "echo";
    public const string Sink = "sink";

    public static ActorSystem CreateSystem() =>
        new ActorSystem().WithRemote(GrpcNetRemoteConfig.BindToLocalhost().WithProtoMessages(MessagesReflection.Descriptor));

    public static async Task ServeAsync(string parentAddress, string parentId, CancellationToken ct)
    {
        await using var system = CreateSystem();
        system.Root.SpawnNamed(Props.FromProducer(() => new EchoActor()), Echo);
        system.Root.SpawnNamed(Props.FromProducer(() => new SinkActor()), Sink);
        var cluster = TwoMembers.Join(system, parentAddress, parentId, TwoMembers.PeerKinds, TwoMembers.ParentKinds);
        await cluster.StartMemberAsync().WaitAsync(ct);
        await using var http = await BareServer.StartAsync(ct);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{system.Address} {system.Id} {http.Port}"));
        await Console.In.ReadToEndAsync(ct);
        await cluster.ShutdownAsync();
    }

    sealed class EchoActor : IActor
    {
        public Task ReceiveAsync(IContext context)
        {
            if (context.Message is Payload payload) context.Respond(payload);
            return Task.CompletedTask;
        }
    }

    sealed class SinkActor : IActor
    {
        long _received;

        public Task ReceiveAsync(IContext context)
        {
            switch (context.Message)
            {
                case Payload:
                    _received++;
                    break;
                case Count:
                    var used = Usage.OfThisProcess();
                    context.Respond(new Counted { Payloads = _received, AllocatedBytes = used.AllocatedBytes, ProcessorTicks = used.ProcessorTime.Ticks });
                    break;
            }

            return Task.CompletedTask;
        }
    }
}
