using Google.Protobuf;
using Grpc.Net.Client;
using Proto.Remote.Endpoints;
using Proto.Remote.GrpcNet;
using Proto.Remote.Tests.Messages;
using Proto.Remote.Transport;

namespace Proto.Remote.Tests;

/// <summary>Nodes whose limits differ.</summary>
public sealed class MessageLimitTests
{
    const int Small = 4 * 1024;

    [Fact]
    public async Task A_message_over_the_peers_limit_is_refused_alone_and_the_connection_stays()
    {
        await using var a = await TestNode.StartAsync();
        await using var b = await TestNode.StartAsync(config => config.WithMaxMessageBytes(Small));
        b.SpawnEcho();
        var states = a.Events<EndpointStateChanged>();

        var refused = a.Root.RequestAsync<Pong>(b.Of("echo"), new Ping { Body = Bytes(Small) }, TestNode.Soon());
        var accepted = a.Root.RequestAsync<Pong>(b.Of("echo"), new Ping { Number = 1, Body = Bytes(Small / 2) }, TestNode.Soon());

        await Assert.ThrowsAsync<DeadLetterException>(() => refused);
        Assert.Equal(1, (await accepted).Number);
        Assert.Equal(EndpointState.Connected, (await states.ReadAsync(TestNode.Soon())).State);
        Assert.False(states.TryRead(out var change), $"{change}");
    }

    [Fact]
    public async Task Batches_of_small_messages_fit_the_peers_limit()
    {
        const int Count = 5_000;
        await using var a = await TestNode.StartAsync();
        await using var b = await TestNode.StartAsync(config => config.WithMaxMessageBytes(Small));
        var inbox = b.SpawnInbox("inbox", out _);
        var states = a.Events<EndpointStateChanged>();

        for (var i = 0; i < Count; i++) a.Root.Send(b.Of("inbox"), new Ping { Number = i, Body = Bytes(i % 3000) });

        for (var i = 0; i < Count; i++) Assert.Equal(i, Assert.IsType<Ping>(await inbox.ReadAsync(TestNode.Soon())).Number);
        Assert.Equal(EndpointState.Connected, (await states.ReadAsync(TestNode.Soon())).State);
        Assert.False(states.TryRead(out var change), $"{change}");
    }

    [Fact]
    public async Task A_header_that_makes_a_message_too_large_is_refused_alone()
    {
        await using var a = await TestNode.StartAsync(config => config.WithMaxMessageBytes(Small));
        await using var b = await TestNode.StartAsync(config => config.WithMaxMessageBytes(Small));
        b.SpawnEcho();
        var huge = a.Root.WithHeaders(Proto.MessageHeader.Empty.With("k", new string('v', 2 * Small)));

        await Assert.ThrowsAsync<DeadLetterException>(() => huge.RequestAsync<Pong>(b.Of("echo"), new Ping(), TestNode.Soon()));

        Assert.Equal(1, (await a.Root.RequestAsync<Pong>(b.Of("echo"), new Ping { Number = 1 }, TestNode.Soon())).Number);
    }

    [Fact]
    public async Task A_refused_message_gives_its_room_in_the_queue_back()
    {
        await using var a = await TestNode.StartAsync(config => config.WithMaxMessageBytes(Small).WithMaxQueuedBytes(2 * Small));
        await using var b = await TestNode.StartAsync();
        b.SpawnEcho();
        var soon = TestNode.Soon();

        await Assert.ThrowsAsync<DeadLetterException>(() => a.Root.RequestAsync<Pong>(b.Of("echo"), new Ping { Body = Bytes(3 * Small) }, soon));

        // The refusal is told a moment before the room is free.
        Task<Pong> asked;
        do
        {
            soon.ThrowIfCancellationRequested();
            asked = a.Root.RequestAsync<Pong>(b.Of("echo"), new Ping { Number = 1 }, soon);
        }
        while (await Record.ExceptionAsync(() => asked) is DeadLetterException);
        Assert.Equal(1, (await asked).Number);
    }

    [Fact]
    public async Task A_message_over_the_frame_that_a_client_takes_is_refused_and_its_connection_stays()
    {
        const int Frame = 4 * Small;
        await using var member = await TestNode.StartAsync();
        member.Root.SpawnNamed(
            Props.FromFunc(context =>
            {
                if (context.Message is Ping ping) context.Respond(new Pong { Number = ping.Number, Body = Bytes((int)ping.Number) });
                return Task.CompletedTask;
            }),
            "sized");
        await using var client = await TestNode.StartClientAsync(
            config => config.WithChannelOptions(new GrpcChannelOptions { MaxReceiveMessageSize = Frame }));
        var refused = member.Events<DeadLetterEvent>();
        var states = client.Events<EndpointStateChanged>();

        var tooLarge = client.Root.RequestAsync<Pong>(member.Of("sized"), new Ping { Number = 2 * Frame }, CancellationToken.None);

        Assert.IsType<Pong>((await refused.ReadAsync(TestNode.Soon())).Message);
        Assert.Equal(10, (await client.Root.RequestAsync<Pong>(member.Of("sized"), new Ping { Number = 10 }, TestNode.Soon())).Number);
        Assert.Equal(EndpointState.Connected, (await states.ReadAsync(TestNode.Soon())).State);
        Assert.False(states.TryRead(out var change), $"{change}");
        Assert.False(tooLarge.IsCompleted);
    }

    [Fact]
    public async Task A_message_over_a_clients_limit_is_refused_by_the_member()
    {
        await using var member = await TestNode.StartAsync();
        member.Root.SpawnNamed(
            Props.FromFunc(context =>
            {
                if (context.Message is Ping ping) context.Respond(new Pong { Number = ping.Number, Body = Bytes((int)ping.Number) });
                return Task.CompletedTask;
            }),
            "sized");
        await using var client = await TestNode.StartClientAsync(config => config.WithMaxMessageBytes(Small));
        var refused = member.Events<DeadLetterEvent>();

        var tooLarge = client.Root.RequestAsync<Pong>(member.Of("sized"), new Ping { Number = 2 * Small }, CancellationToken.None);

        Assert.IsType<Pong>((await refused.ReadAsync(TestNode.Soon())).Message);
        Assert.Equal(10, (await client.Root.RequestAsync<Pong>(member.Of("sized"), new Ping { Number = 10 }, TestNode.Soon())).Number);
        Assert.False(tooLarge.IsCompleted);
    }

    [Fact]
    public async Task A_message_over_the_limit_of_a_peer_that_does_not_ask_is_skipped_by_its_receiver()
    {
        await using var node = await TestNode.StartAsync(config => config.WithMaxMessageBytes(Small));
        await using var peer = await TestNode.StartAsync();
        var inbox = node.SpawnInbox("inbox", out _);
        var requester = peer.SpawnInbox("requester", out _);
        var unreadable = node.Events<UnreadableMessageEvent>();
        using var channel = new GrpcChannel(new Uri($"http://{node.Address}"), new GrpcChannelSettings());
        var greeting = new ServerConnection { MemberId = "stranger", Address = peer.Address };
        using var call = await channel.OpenAsync(
            Handshake.ReceiveMethod,
            Handshake.Frame(new RemoteMessage { ConnectRequest = new ConnectRequest { ServerConnection = greeting } }),
            TestNode.Soon());
        await call.Responses.ReadAsync(TestNode.Soon());
        var batch = new MessageBatch { TypeNames = { "prototest.Ping" }, Targets = { "inbox" }, Senders = { new PID("", "requester") } };
        batch.Envelopes.Add(new MessageEnvelope { Sender = 1, MessageData = new Ping { Number = 1, Body = Bytes(Small) }.ToByteString() });
        batch.Envelopes.Add(new MessageEnvelope { MessageData = new Ping { Number = 2 }.ToByteString() });

        await call.WriteAsync(Handshake.Frame(new RemoteMessage { MessageBatch = batch }), TestNode.Soon());
        await call.FlushAsync(TestNode.Soon());

        Assert.Equal(2, Assert.IsType<Ping>(await inbox.ReadAsync(TestNode.Soon())).Number);
        var skipped = await unreadable.ReadAsync(TestNode.Soon());
        Assert.Equal((Small, node.Of("inbox")), (Assert.IsType<MessageTooLargeException>(skipped.Reason).Limit, skipped.Target));
        Assert.IsType<DeadLetterResponse>(await requester.ReadAsync(TestNode.Soon()));
    }

    static ByteString Bytes(int count) => UnsafeByteOperations.UnsafeWrap(new byte[count]);
}
