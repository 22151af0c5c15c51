using Google.Protobuf;
using Proto.Remote.Endpoints;
using Proto.Remote.Tests.Messages;
using Proto.Remote.Transport;

namespace Proto.Remote.Tests.Access;

/// <summary>What a client reaches at a member.</summary>
public sealed class ClientFilterTests
{
    [Theory]
    [InlineData("orders", "app.Order")]
    [InlineData("orders/child", "app.Order")]
    [InlineData("$1", "app.Order")] // an actor that nobody named
    [InlineData("$17/child", "app.Order")]
    [InlineData("$partition-activator/$3", "app.Order")] // a virtual actor
    [InlineData("$client/1f/inbox", "app.Order")] // another client's actor
    [InlineData("$activator", "remote.ActorPidRequest")]
    [InlineData("$partition-identity", "cluster.ActivationRequest")]
    [InlineData("$partition-activator", "cluster.ActivationRequest")]
    [InlineData("$partition-identity", "cluster.placement.SuspectActivation")]
    [InlineData("$server_seed", "cluster.seed.JoinAsClientRequest")]
    public void By_default_clients_reach(string targetId, string typeName) => Assert.True(ClientAccess.Default(Message(targetId, typeName)));

    [Theory]
    [InlineData("$gossip", "cluster.gossip.GossipRequest")]
    [InlineData("$eventstream", "cluster.ClusterTopology")]
    [InlineData("$partition-identity", "cluster.IdentityHandoverRequest")]
    [InlineData("$partition-identity", "cluster.ActivationTerminated")]
    [InlineData("$activator", "app.Order")]
    [InlineData("$server_seed", "cluster.seed.JoinRequest")]
    [InlineData("$pubsub-delivery", "cluster.DeliverBatchRequest")]
    [InlineData("$1x", "app.Order")]
    [InlineData("$", "app.Order")]
    [InlineData("$partition-activator/", "actor.PoisonPill")]
    [InlineData("orders", "actor.PoisonPill")]
    public void By_default_clients_do_not_reach(string targetId, string typeName) => Assert.False(ClientAccess.Default(Message(targetId, typeName)));

    [Fact]
    public async Task A_refused_request_is_answered_at_once_and_says_why()
    {
        var log = new RecordedLog();
        await using var member = await TestNode.StartAsync(systemConfig: ActorSystemConfig.Setup().WithLoggerFactory(log));
        await using var client = await TestNode.StartClientAsync();
        var refusals = member.Events<ClientMessageRefused>();
        var secret = member.SpawnInbox("$secret", out _);

        var refused = await Assert.ThrowsAsync<DeadLetterException>(
            () => client.Root.RequestAsync<Pong>(member.Of("$secret"), new Ping(), TestNode.Soon()));

        Assert.Contains($"clients of {member.Address} may not send prototest.Ping to $secret", refused.Message, StringComparison.Ordinal);
        Assert.Equal(new ClientMessageRefused(client.System.Id, "$secret", "prototest.Ping"), await refusals.ReadAsync(TestNode.Soon()));
        await log.LineWith($"prototest.Ping to $secret from the client {client.System.Id} is refused");
        Assert.False(secret.TryRead(out _));
    }

    [Fact]
    public async Task Refusals_are_logged_within_limits()
    {
        var log = new RecordedLog();
        await using var member = await TestNode.StartAsync(systemConfig: ActorSystemConfig.Setup().WithLoggerFactory(log));
        await using var client = await TestNode.StartClientAsync();
        var refusals = member.Events<ClientMessageRefused>();

        for (var i = 0; i < 200; i++) client.Root.Send(member.Of("$secret"), new Ping());
        for (var i = 0; i < 200; i++) await refusals.ReadAsync(TestNode.Soon());

        Assert.InRange(log.All.Count(line => line.Contains("is refused", StringComparison.Ordinal)), 1, 30);
    }

    [Fact]
    public async Task System_messages_are_refused_whatever_the_filter_says()
    {
        await using var member = await TestNode.StartAsync(config => config.WithClientFilter(_ => true));
        member.SpawnEcho();
        var refusals = member.Events<ClientMessageRefused>();
        using var channel = new GrpcChannel(new Uri($"http://{member.Address}"), new GrpcChannelSettings());
        using var call = await channel.OpenAsync(Handshake.ReceiveMethod, Handshake.Frame(Greeting("c")), TestNode.Soon());
        var batch = new MessageBatch { TypeNames = { "actor.Stop", "actor.Watch" }, Targets = { "echo" } };
        batch.Envelopes.Add(new MessageEnvelope { TypeId = 0 });
        batch.Envelopes.Add(new MessageEnvelope { TypeId = 1, MessageData = new Watch(new PID("x:1", "y")).ToByteString() });

        await call.WriteAsync(Handshake.Frame(new RemoteMessage { MessageBatch = batch }), TestNode.Soon());
        await call.FlushAsync(TestNode.Soon());

        Assert.Equal(new ClientMessageRefused("c", "echo", "Stop"), await refusals.ReadAsync(TestNode.Soon()));
        Assert.Equal(new ClientMessageRefused("c", "echo", "Watch"), await refusals.ReadAsync(TestNode.Soon()));
        Assert.Equal(1, (await member.Root.RequestAsync<Pong>(member.Of("echo"), new Ping { Number = 1 }, TestNode.Soon())).Number);
    }

    [Fact]
    public async Task An_application_decides_by_actor_and_type()
    {
        await using var member = await TestNode.StartAsync(config => config.WithClientFilter(
            message => ClientAccess.Default(message) && message is { TargetId: "public", TypeName: "prototest.Ping" }));
        await using var client = await TestNode.StartClientAsync();
        member.SpawnEcho("public");
        member.SpawnEcho("internal");

        Assert.Equal(1, (await client.Root.RequestAsync<Pong>(member.Of("public"), new Ping { Number = 1 }, TestNode.Soon())).Number);
        await Assert.ThrowsAsync<DeadLetterException>(() => client.Root.RequestAsync<Pong>(member.Of("internal"), new Ping(), TestNode.Soon()));
        await Assert.ThrowsAsync<DeadLetterException>(() => client.Root.RequestAsync<Pong>(member.Of("public"), new Pong(), TestNode.Soon()));
    }

    [Fact]
    public async Task A_filter_that_fails_refuses()
    {
        await using var member = await TestNode.StartAsync(config => config.WithClientFilter(_ => throw new InvalidOperationException("the filter is broken")));
        await using var client = await TestNode.StartClientAsync();
        member.SpawnEcho();

        await Assert.ThrowsAsync<DeadLetterException>(() => client.Root.RequestAsync<Pong>(member.Of("echo"), new Ping(), TestNode.Soon()));
    }

    [Fact]
    public async Task Members_are_not_filtered()
    {
        await using var member = await TestNode.StartAsync(config => config.WithClientFilter(_ => false));
        await using var other = await TestNode.StartAsync();
        member.SpawnEcho("$echo");

        Assert.Equal(1, (await other.Root.RequestAsync<Pong>(member.Of("$echo"), new Ping { Number = 1 }, TestNode.Soon())).Number);
    }

    [Fact]
    public async Task A_client_spawns_offered_kinds_but_none_of_the_engines_names()
    {
        await using var member = await TestNode.StartAsync(config => config.WithRemoteKind("idle", Props.FromFunc(_ => Task.CompletedTask)));
        await using var client = await TestNode.StartClientAsync();
        var remote = client.System.Remote();

        var named = await remote.SpawnNamedAsync(member.Address, "mine", "idle", TimeSpan.FromSeconds(30));
        var engine = await remote.SpawnNamedAsync(member.Address, "$gossip", "idle", TimeSpan.FromSeconds(30));

        Assert.Equal((0, "mine"), (named.StatusCode, named.Pid.Id));
        Assert.Equal((int)ResponseStatusCode.Error, engine.StatusCode);
    }

    static ClientMessage Message(string targetId, string typeName) =>
        new(new IncomingConnection("c", null, null, null, Grpc.Core.Metadata.Empty), targetId, typeName);

    static RemoteMessage Greeting(string id) =>
        new() { ConnectRequest = new ConnectRequest { ClientConnection = new ClientConnection { MemberId = id } } };
}
