using Google.Protobuf;
using Proto.Remote.Tests.Messages;

namespace Proto.Remote.Tests;

/// <summary>A peer that takes the connection and never reads from it.</summary>
public sealed class SlowPeerTests
{
    [Fact]
    public async Task What_waits_for_a_peer_that_never_reads_is_bounded_in_bytes_and_the_rest_is_told()
    {
        const int Body = 64 * 1024;
        const int Limit = 2 * 1024 * 1024;
        await using var slow = await ScriptedPeer.StartAsync(ScriptedPeer.NeverReads);
        await using var a = await TestNode.StartAsync(config => config.WithMaxQueuedBytes(Limit));
        var deadLetters = a.Events<DeadLetterEvent>();

        for (var i = 0; i < 1_000; i++) a.Root.Send(slow.Of("x"), new Ping { Number = i, Body = Zeros(Body) });

        // A writer that never got to run would hold the limit; one that ran has handed a few windows to the transport: far from 1000.
        var first = Assert.IsType<Ping>((await deadLetters.ReadAsync(TestNode.Soon())).Message);
        Assert.InRange(first.Number, Limit / (Body + 1024) - 1, 500);
        await Assert.ThrowsAsync<DeadLetterException>(
            () => a.Root.RequestAsync<Pong>(slow.Of("x"), new Ping { Body = Zeros(Limit) }, TestNode.Soon()));
    }

    [Fact]
    public async Task Other_peers_do_not_notice_a_peer_that_never_reads()
    {
        await using var slow = await ScriptedPeer.StartAsync(ScriptedPeer.NeverReads);
        await using var a = await TestNode.StartAsync(config => config.WithMaxQueuedBytes(1024 * 1024));
        await using var b = await TestNode.StartAsync();
        b.SpawnEcho();
        for (var i = 0; i < 200; i++) a.Root.Send(slow.Of("x"), new Ping { Body = Zeros(64 * 1024) });

        Assert.Equal(3, (await a.Root.RequestAsync<Pong>(b.Of("echo"), new Ping { Number = 3 }, TestNode.Soon())).Number);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Shutdown_ends_although_a_peer_never_reads(bool graceful)
    {
        await using var slow = await ScriptedPeer.StartAsync(ScriptedPeer.NeverReads);
        await using var a = await TestNode.StartAsync();
        var connected = a.Events<EndpointStateChanged>();
        for (var i = 0; i < 200; i++) a.Root.Send(slow.Of("x"), new Ping { Body = Zeros(64 * 1024) });
        Assert.Equal(EndpointState.Connected, (await connected.ReadAsync(TestNode.Soon())).State);

        await a.System.Remote().ShutdownAsync(graceful).WaitAsync(TestNode.Soon());

        Assert.False(a.System.Remote().Started);
    }

    [Fact]
    public async Task A_full_queue_leaves_the_priority_lane_its_room()
    {
        // Nobody listens there, and no attempt comes to an end before the test does.
        using var port = new SilentPort();
        await using var a = await TestNode.StartAsync(config => config
            .WithMaxQueuedMessages(10)
            .WithEndpointWriterMaxRetries(int.MaxValue)
            .WithEndpointWriterRetryBackOff(TimeSpan.FromHours(1)));
        var deadLetters = a.Events<DeadLetterEvent>();
        for (var i = 0; i < 11; i++) a.Root.Send(port.Of("x"), new Ping { Number = i });
        Assert.Equal(10, Assert.IsType<Ping>((await deadLetters.ReadAsync(TestNode.Soon())).Message).Number);

        a.Root.Send(port.Of("x"), new Urgent());

        Assert.False(deadLetters.TryRead(out var refused), $"{refused}");
    }

    static ByteString Zeros(int bytes) => UnsafeByteOperations.UnsafeWrap(new byte[bytes]);
}
