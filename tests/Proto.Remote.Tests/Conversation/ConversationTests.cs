using Grpc.Core;
using Proto.Remote.Tests.Messages;

namespace Proto.Remote.Tests.Conversation;

/// <summary>Remoting talks to an implementation of gRPC and protobuf that is not ours: @grpc/grpc-js, as caller (peer.js) and as server.</summary>
public sealed class ConversationTests(GrpcJsPeer peer) : IClassFixture<GrpcJsPeer>
{
    [GrpcJsTheory]
    [InlineData("a member is answered with the id")]
    [InlineData("a member asks and is answered over its own server")]
    [InlineData("a member watches and learns of the end")]
    [InlineData("a client asks and is answered over its stream")]
    [InlineData("order holds in both directions")]
    [InlineData("an actor that clients may not reach")]
    [InlineData("garbage ends the stream with a status")]
    [InlineData("a frame over the limit is refused")]
    [InlineData("a compressed frame is refused")]
    [InlineData("health is asked for")]
    [InlineData("an unknown method is unimplemented")]
    [InlineData("processes are listed")]
    public async Task Somebody_elses_client_and(string scenario) => Assert.Equal("", await peer.OutcomeAsync(scenario));

    [GrpcJsFact]
    public async Task A_client_of_ours_asks_somebody_elses_server()
    {
        await using var client = await TestNode.StartClientAsync();

        Assert.Equal(1, (await AskAsync(client, 1)).Number);
    }

    [GrpcJsFact]
    public async Task A_member_of_ours_asks_somebody_elses_server()
    {
        await using var member = await TestNode.StartAsync();

        Assert.Equal(2, (await AskAsync(member, 2)).Number);
    }

    [GrpcJsFact]
    public async Task A_blocked_answer_of_somebody_elses_server_is_understood()
    {
        var log = new RecordedLog();
        await using var member = await TestNode.StartAsync(
            config => config.WithCallOptions(new CallOptions(new Metadata { { "x-refuse-me", "please" } })),
            systemConfig: ActorSystemConfig.Setup().WithLoggerFactory(log));

        await Assert.ThrowsAsync<DeadLetterException>(() => AskAsync(member, 3));

        await log.LineWith("(js) blocks this system");
    }

    async Task<Pong> AskAsync(TestNode from, long number) =>
        await from.Root.RequestAsync<Pong>(PID.FromAddress(await peer.AddressAsync(), "echo"), new Ping { Number = number }, TestNode.Soon());
}
