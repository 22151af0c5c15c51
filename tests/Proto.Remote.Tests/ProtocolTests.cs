using Google.Protobuf;
using Proto.Remote.Endpoints;
using Proto.Remote.Tests.Messages;
using Proto.Remote.Transport;

namespace Proto.Remote.Tests;

/// <summary>A member's side of the protocol, spoken to by hand.</summary>
public sealed class ProtocolTests
{
    [Fact]
    public async Task The_acceptor_answers_a_handshake_with_its_id()
    {
        await using var node = await TestNode.StartAsync();
        using var channel = ChannelTo(node);
        using var call = await channel.OpenAsync(Handshake.ReceiveMethod, Greeting(), TestNode.Soon());

        var answer = await NextAsync(call);

        Assert.Equal(node.System.Id, answer!.ConnectResponse.MemberId);
        Assert.False(answer.ConnectResponse.Blocked);
    }

    [Fact]
    public async Task A_blocked_caller_is_told_and_dropped()
    {
        await using var node = await TestNode.StartAsync();
        node.System.Remote().BlockList.Block("stranger", "test");
        using var channel = ChannelTo(node);
        using var call = await channel.OpenAsync(Handshake.ReceiveMethod, Greeting(), TestNode.Soon());

        Assert.True((await NextAsync(call))!.ConnectResponse.Blocked);
        Assert.Null(await NextAsync(call));
    }

    [Fact]
    public async Task A_callers_block_list_blocks_nobody_here()
    {
        await using var node = await TestNode.StartAsync();
        using var channel = ChannelTo(node);
        using var call = await channel.OpenAsync(Handshake.ReceiveMethod, Greeting(blocked: "victim"), TestNode.Soon());
        await NextAsync(call);

        Assert.Empty(node.System.Remote().BlockList.BlockedMembers);
    }

    [Fact]
    public async Task A_caller_that_blocks_this_system_gets_no_answer()
    {
        await using var node = await TestNode.StartAsync();
        using var channel = ChannelTo(node);
        using var call = await channel.OpenAsync(Handshake.ReceiveMethod, Greeting(blocked: node.System.Id), TestNode.Soon());

        Assert.Null(await NextAsync(call));
    }

    public static TheoryData<string, byte[], GrpcStatusCode> BadFrames => new()
    {
        { "garbage", GrpcFrame.Wrap([0xff, 0xff, 0xff]), GrpcStatusCode.InvalidArgument },
        { "malformed batch", GrpcFrame.Wrap([0x0a, 0x02, 0x1a, 0x7f]), GrpcStatusCode.InvalidArgument },
        { "batch longer than its frame", GrpcFrame.Wrap([0x0a, 0x7f]), GrpcStatusCode.InvalidArgument },
        { "compressed", [1, 0, 0, 0, 1, 0], GrpcStatusCode.Unimplemented },
        { "over the limit", [0, 0x7f, 0xff, 0xff, 0xff], GrpcStatusCode.ResourceExhausted },
    };

    [Theory]
    [MemberData(nameof(BadFrames))]
    public async Task A_bad_frame_ends_its_stream_with_a_status_and_no_other(string what, byte[] frame, GrpcStatusCode status)
    {
        await using var node = await TestNode.StartAsync();
        await using var peer = await TestNode.StartAsync();
        node.SpawnEcho();
        await peer.Root.RequestAsync<Pong>(node.Of("echo"), new Ping(), TestNode.Soon());
        var lost = peer.Events<EndpointTerminatedEvent>();
        using var channel = ChannelTo(node);
        using var call = await channel.OpenAsync(Handshake.ReceiveMethod, Greeting(), TestNode.Soon());
        await NextAsync(call);

        await call.WriteAsync(frame, TestNode.Soon());
        await call.FlushAsync(TestNode.Soon());

        Assert.True(await NextAsync(call) is null, what);
        Assert.Equal(status, call.Status!.Value.Code);
        Assert.NotEqual("", call.Status.Value.Message);
        Assert.Equal(4, (await peer.Root.RequestAsync<Pong>(node.Of("echo"), new Ping { Number = 4 }, TestNode.Soon())).Number);
        Assert.False(lost.TryRead(out _));
    }

    [Theory]
    [MemberData(nameof(BadFrames))]
    public async Task A_bad_first_frame_is_refused(string what, byte[] frame, GrpcStatusCode status)
    {
        await using var node = await TestNode.StartAsync();
        using var channel = ChannelTo(node);
        using var call = await channel.OpenAsync(Handshake.ReceiveMethod, frame, TestNode.Soon());

        Assert.True(await NextAsync(call) is null, what);
        Assert.Equal(status, call.Status!.Value.Code);
    }

    [Fact]
    public async Task A_stream_that_does_not_begin_with_a_greeting_is_refused()
    {
        await using var node = await TestNode.StartAsync();
        using var channel = ChannelTo(node);
        using var call = await channel.OpenAsync(
            Handshake.ReceiveMethod, Handshake.Frame(new RemoteMessage { DisconnectRequest = new DisconnectRequest() }), TestNode.Soon());

        Assert.Null(await NextAsync(call));
        Assert.Equal(GrpcStatusCode.InvalidArgument, call.Status!.Value.Code);
        Assert.Contains("ConnectRequest", call.Status.Value.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_unknown_method_is_unimplemented_and_the_health_check_serves()
    {
        await using var node = await TestNode.StartAsync();
        using var channel = ChannelTo(node);
        using var unknown = await channel.OpenAsync("/remote.Remoting/Nothing", GrpcFrame.Wrap([]), TestNode.Soon());
        Assert.Null(await NextAsync(unknown));
        Assert.Equal(GrpcStatusCode.Unimplemented, unknown.Status!.Value.Code);

        using var health = await channel.OpenAsync("/grpc.health.v1.Health/Check", GrpcFrame.Wrap([]), TestNode.Soon());
        var answer = await health.Responses.ReadAsync(TestNode.Soon());
        Assert.Equal([8, 1], answer!.Value.ToArray());
    }

    [Fact]
    public async Task An_envelope_of_an_unknown_type_is_skipped_and_its_requester_told()
    {
        await using var node = await TestNode.StartAsync();
        await using var peer = await TestNode.StartAsync();
        var requester = peer.SpawnInbox("requester", out _);
        var inbox = node.SpawnInbox("inbox", out _);
        var unreadable = node.Events<UnreadableMessageEvent>();
        using var channel = ChannelTo(node);
        using var call = await channel.OpenAsync(Handshake.ReceiveMethod, Greeting(address: peer.Address), TestNode.Soon());
        await NextAsync(call);
        var batch = new MessageBatch();
        batch.TypeNames.AddRange(["no.such.Type", "prototest.Ping"]);
        batch.Targets.Add("inbox");
        batch.Senders.Add(new PID("", "requester"));
        batch.Envelopes.Add(new MessageEnvelope { TypeId = 0, Sender = 1, SenderRequestId = 77 });
        batch.Envelopes.Add(new MessageEnvelope { TypeId = 1, MessageData = new Ping { Number = 2 }.ToByteString() });

        await call.WriteAsync(Handshake.Frame(new RemoteMessage { MessageBatch = batch }), TestNode.Soon());
        await call.FlushAsync(TestNode.Soon());

        Assert.Equal(2, Assert.IsType<Ping>(await inbox.ReadAsync(TestNode.Soon())).Number);
        Assert.Equal(node.Of("inbox"), Assert.IsType<DeadLetterResponse>(await requester.ReadAsync(TestNode.Soon())).Target);
        var skipped = await unreadable.ReadAsync(TestNode.Soon());
        Assert.Equal((peer.Address, "no.such.Type", 0), (skipped.PeerAddress, skipped.TypeName, skipped.SerializerId));
        Assert.IsType<UnknownMessageTypeException>(skipped.Reason);
    }

    static GrpcChannel ChannelTo(TestNode node) => new(new Uri($"http://{node.Address}"), new GrpcChannelSettings());

    static byte[] Greeting(string? blocked = null, string address = "127.0.0.1:1")
    {
        var server = new ServerConnection { MemberId = "stranger", Address = address };
        if (blocked is not null) server.BlockList.Add(blocked);
        return Handshake.Frame(new RemoteMessage { ConnectRequest = new ConnectRequest { ServerConnection = server } });
    }

    static async Task<RemoteMessage?> NextAsync(IClientCall call) =>
        await call.Responses.ReadAsync(TestNode.Soon()) is { } frame ? RemoteMessage.Parser.ParseFrom(frame.Span) : null;
}
