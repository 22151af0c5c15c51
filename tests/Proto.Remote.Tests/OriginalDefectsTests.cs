using Google.Protobuf;
using Proto.Remote.Endpoints;
using Proto.Remote.GrpcNet;
using Proto.Remote.Tests.Messages;
using Proto.Remote.Transport;

namespace Proto.Remote.Tests;

/// <summary>Known defects of the original's remoting, by their number in the list. The third is in <see cref="LostBatchTests"/>.</summary>
public sealed class OriginalDefectsTests
{
    [Fact]
    public async Task Defect_1_a_node_that_one_peer_blocks_goes_on_and_serves_the_others()
    {
        await using var victim = await TestNode.StartAsync(config => config.WithEndpointWriterMaxRetries(1));
        await using var blocker = await TestNode.StartAsync();
        await using var other = await TestNode.StartAsync();
        victim.SpawnEcho();
        blocker.System.Remote().BlockList.Block(victim.System.Id, "a rumour");

        await Assert.ThrowsAsync<DeadLetterException>(() => victim.Root.RequestAsync<Pong>(blocker.Of("echo"), new Ping(), TestNode.Soon()));

        Assert.True(victim.System.Remote().Started);
        Assert.False(victim.System.Shutdown.IsCancellationRequested);
        Assert.Empty(victim.System.Remote().BlockList.BlockedMembers);
        Assert.Equal(6, (await other.Root.RequestAsync<Pong>(victim.Of("echo"), new Ping { Number = 6 }, TestNode.Soon())).Number);
    }

    [Fact]
    public void Defect_2_a_blocked_member_is_free_again_after_an_hour_by_both_questions()
    {
        var clock = new SettableClock();
        var system = new ActorSystem(new ActorSystemConfig().WithTimeProvider(clock));
        var blocked = new List<MemberBlocked>();
        system.EventStream.Subscribe<MemberBlocked>(blocked.Add);
        var list = new BlockList(system);

        list.Block("m", "left");
        list.Block("m", "left");
        Assert.True(list.IsBlocked("m"));
        Assert.Equal(["m"], list.BlockedMembers);
        Assert.Equal([new MemberBlocked("m", "left")], blocked);

        clock.Advance(TimeSpan.FromHours(1));
        Assert.False(list.IsBlocked("m"));
        Assert.Empty(list.BlockedMembers);

        list.Block("m", "left again");
        Assert.True(list.IsBlocked("m"));
        Assert.Equal(2, blocked.Count);
    }

    [Fact]
    public async Task Defect_12_a_message_that_is_no_batch_after_the_handshake_is_left_out()
    {
        await using var node = await TestNode.StartAsync();
        var inbox = node.SpawnInbox("inbox", out _);
        using var channel = new GrpcChannel(new Uri($"http://{node.Address}"), new GrpcChannelSettings());
        var greeting = new ConnectRequest { ServerConnection = new ServerConnection { MemberId = "stranger", Address = "127.0.0.1:1" } };
        using var call = await channel.OpenAsync(
            Handshake.ReceiveMethod, Handshake.Frame(new RemoteMessage { ConnectRequest = greeting }), TestNode.Soon());
        await call.Responses.ReadAsync(TestNode.Soon());
        var batch = new MessageBatch { TypeNames = { "prototest.Ping" }, Targets = { "inbox" } };
        batch.Envelopes.Add(new MessageEnvelope { MessageData = new Ping { Number = 5 }.ToByteString() });

        foreach (var message in new RemoteMessage[]
        {
            new() { ConnectRequest = greeting },
            new() { ConnectResponse = new ConnectResponse { MemberId = "x" } },
            new() { DisconnectRequest = new DisconnectRequest() },
            new(),
            new() { MessageBatch = batch },
        })
        {
            await call.WriteAsync(Handshake.Frame(message), TestNode.Soon());
        }

        await call.FlushAsync(TestNode.Soon());
        Assert.Equal(5, Assert.IsType<Ping>(await inbox.ReadAsync(TestNode.Soon())).Number);
    }

    [Fact]
    public async Task Defect_13_whoever_hears_of_a_lost_peer_may_block_send_to_it_and_shut_down_without_a_deadlock()
    {
        await using var a = await TestNode.StartAsync();
        var b = await TestNode.StartAsync();
        b.SpawnEcho();
        await a.Root.RequestAsync<Pong>(b.Of("echo"), new Ping(), TestNode.Soon());
        var heard = new TaskCompletionSource<Task>(TaskCreationOptions.RunContinuationsAsynchronously);
        a.System.EventStream.Subscribe<EndpointTerminatedEvent>(lost =>
        {
            a.Root.Send(PID.FromAddress(lost.Address!, "echo"), new Ping());
            a.System.Remote().BlockList.Block(lost.ActorSystemId!, "lost");
            heard.TrySetResult(a.System.Remote().ShutdownAsync());
        });

        await b.KillAsync();

        await (await heard.Task.WaitAsync(TestNode.Soon())).WaitAsync(TestNode.Soon());
        Assert.False(a.System.Remote().Started);
        await b.DisposeAsync();
    }

    [Fact]
    public void Defect_15_every_limit_of_the_pipeline_has_a_default()
    {
        var options = GrpcNetRemoteConfig.BindToLocalhost().EndpointWriterOptions;

        Assert.InRange(options.MaxQueuedMessages, 1, 1_000_000);
        Assert.InRange(options.MaxQueuedBytes, 1, 1024 * 1024 * 1024);
        Assert.InRange(options.MaxMessageBytes, 1, 64 * 1024 * 1024);
        Assert.InRange(options.MaxBatchBytes, 1, options.MaxMessageBytes);
        Assert.InRange(options.EndpointWriterBatchSize, 1, 10_000);
    }
}
