using Google.Protobuf;
using Proto.Remote.Endpoints;
using Proto.Remote.Tests.Messages;
using Proto.Remote.Transport;

namespace Proto.Remote.Tests;

public sealed class ClientTests
{
    [Fact]
    public async Task A_client_asks_a_member_over_its_one_stream()
    {
        await using var member = await TestNode.StartAsync();
        await using var client = await TestNode.StartClientAsync();
        member.SpawnEcho();

        var pong = await client.Root.RequestAsync<Pong>(member.Of("echo"), new Ping { Number = 3 }, TestNode.Soon());

        Assert.Equal(3, pong.Number);
        Assert.Equal($"$client/{client.System.Id}", client.Address);
    }

    [Fact]
    public async Task Members_reach_a_clients_actors_through_the_member_that_it_is_connected_to()
    {
        await using var member = await TestNode.StartAsync();
        await using var other = await TestNode.StartAsync();
        await using var client = await TestNode.StartClientAsync();
        var senders = member.SpawnInbox("unused", out _);
        var sender = new TaskCompletionSource<PID>(TaskCreationOptions.RunContinuationsAsynchronously);
        member.Root.SpawnNamed(
            Props.FromFunc(context =>
            {
                if (context.Message is Ping) sender.TrySetResult(context.Sender!);
                return Task.CompletedTask;
            }),
            "target");
        var inbox = client.SpawnInbox("subscriber", out var subscriber);

        client.Root.Request(member.Of("target"), new Ping(), subscriber);

        var seen = await sender.Task.WaitAsync(TestNode.Soon());
        Assert.Equal(PID.FromAddress(member.Address, $"$client/{client.System.Id}/subscriber"), seen);
        member.Root.Send(seen, new Ping { Number = 1 });
        Assert.Equal(1, Assert.IsType<Ping>(await inbox.ReadAsync(TestNode.Soon())).Number);
        other.Root.Send(PID.FromAddress(seen.Address, seen.Id), new Ping { Number = 2 });
        Assert.Equal(2, Assert.IsType<Ping>(await inbox.ReadAsync(TestNode.Soon())).Number);
    }

    [Fact]
    public async Task A_clients_system_messages_do_nothing()
    {
        await using var member = await TestNode.StartAsync();
        await using var client = await TestNode.StartClientAsync();
        member.SpawnEcho();

        client.Root.Stop(member.Of("echo"));

        Assert.Equal(1, (await client.Root.RequestAsync<Pong>(member.Of("echo"), new Ping { Number = 1 }, TestNode.Soon())).Number);
    }

    [Fact]
    public async Task What_is_sent_to_a_client_that_is_gone_becomes_a_dead_letter()
    {
        await using var member = await TestNode.StartAsync();
        member.SpawnEcho();
        var client = await TestNode.StartClientAsync();
        await client.Root.RequestAsync<Pong>(member.Of("echo"), new Ping(), TestNode.Soon());
        var gone = member.Of($"$client/{client.System.Id}/anybody");
        await client.DisposeAsync();
        var deadLetters = member.Events<DeadLetterEvent>();

        while (!deadLetters.TryRead(out _))
        {
            // Until the member has seen the end of the stream a message may still leave for the client.
            member.Root.Send(PID.FromAddress(gone.Address, gone.Id), new Ping());
            await Task.Yield();
        }
    }

    [Fact]
    public async Task A_clients_message_that_only_calls_itself_a_termination_does_not_pass_the_filter()
    {
        await using var member = await TestNode.StartAsync(config => config.WithSerializer(17, 10, new AnyNameSerializer()).WithClientFilter(_ => false));
        var inbox = member.SpawnInbox("inbox", out var pid);
        var refused = member.Events<ClientMessageRefused>();
        using var channel = new GrpcChannel(new Uri($"http://{member.Address}"), new GrpcChannelSettings());
        var greeting = new ConnectRequest { ClientConnection = new ClientConnection { MemberId = "stranger" } };
        using var call = await channel.OpenAsync(
            Handshake.ReceiveMethod, Handshake.Frame(new RemoteMessage { ConnectRequest = greeting }), TestNode.Soon());
        await call.Responses.ReadAsync(TestNode.Soon());
        var batch = new MessageBatch { TypeNames = { "actor.Terminated" }, Targets = { "inbox" } };
        batch.Envelopes.Add(new MessageEnvelope { SerializerId = 17 });

        await call.WriteAsync(Handshake.Frame(new RemoteMessage { MessageBatch = batch }), TestNode.Soon());
        await call.FlushAsync(TestNode.Soon());

        Assert.Equal("inbox", (await refused.ReadAsync(TestNode.Soon())).TargetId);
        await member.Root.RequestAsync<Touched>(pid, Touch.Instance, TestNode.Soon());
        Assert.False(inbox.TryRead(out var passed), $"{passed}");
    }

    sealed class AnyNameSerializer : ISerializer
    {
        public bool CanSerialize(object obj) => false;

        public ByteString Serialize(object obj) => ByteString.Empty;

        public object Deserialize(ByteString bytes, string typeName) => new Ping();

        public string GetTypeName(object message) => "";
    }
}
