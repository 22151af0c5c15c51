using System.Net.Sockets;
using System.Threading.Channels;
using Proto.Remote.Endpoints;
using Proto.Remote.Tests.Messages;
using Proto.Remote.Transport;

namespace Proto.Remote.Tests.Fuzz;

/// <summary>A live node that gets almost right frames: each stream ends with a status, and nobody else notices.</summary>
public sealed class ServerFuzzTests
{
    const int Streams = 150;

    static readonly GrpcStatusCode[] Clear =
        [GrpcStatusCode.Ok, GrpcStatusCode.InvalidArgument, GrpcStatusCode.ResourceExhausted, GrpcStatusCode.Unimplemented];

    [Fact]
    public async Task Streams_of_almost_right_frames_end_with_a_status_and_disturb_nobody()
    {
        var log = new RecordedLog();
        await using var node = await TestNode.StartAsync(systemConfig: ActorSystemConfig.Setup().WithLoggerFactory(log));
        await using var innocent = await TestNode.StartAsync();
        node.SpawnEcho();
        node.SpawnInbox("inbox", out _);
        await AskAsync(innocent, node, -1);
        var lost = innocent.Events<EndpointTerminatedEvent>();
        var mutations = new Mutations(seed: 5);
        var statuses = new List<GrpcStatus>();

        for (var i = 0; i < Streams; i++)
        {
            statuses.Add(await SendAsync(node, i % 2 == 0, [.. Enumerable.Range(0, 5).Select(_ => mutations.Next())]));
            if (i % 10 == 0) Assert.Equal(i, (await AskAsync(innocent, node, i)).Number);
        }

        Assert.All(statuses, status => Assert.Contains(status.Code, Clear));
        Assert.All(statuses, status => Assert.True(status.Code == GrpcStatusCode.Ok || status.Message.Length > 0));
        Assert.Contains(statuses, status => status.Code == GrpcStatusCode.InvalidArgument);
        Assert.False(lost.TryRead(out _));
        // Neither the server nor Kestrel met an exception that nobody expected.
        Assert.DoesNotContain(log.All, line => line.Contains("A call of", StringComparison.Ordinal) || line.StartsWith("Critical", StringComparison.Ordinal));
        Assert.DoesNotContain(log.All, line => line.Contains("unhandled exception", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Bytes_that_are_not_even_HTTP_disturb_nobody()
    {
        await using var node = await TestNode.StartAsync();
        await using var innocent = await TestNode.StartAsync();
        node.SpawnEcho();
        var random = new Random(6);

        for (var i = 0; i < 20; i++)
        {
            using var socket = new TcpClient();
            await socket.ConnectAsync("127.0.0.1", node.System.GetAddress().Port, TestNode.Soon());
            var garbage = new byte[random.Next(1, 2000)];
            random.NextBytes(garbage);
            await socket.GetStream().WriteAsync(garbage, TestNode.Soon());
        }

        Assert.Equal(1, (await AskAsync(innocent, node, 1)).Number);
    }

    [Fact]
    public async Task A_stream_that_says_nothing_is_ended()
    {
        var time = new TimersByHand();
        await using var node = await TestNode.StartAsync(systemConfig: ActorSystemConfig.Setup() with { TimeProvider = time });
        using var channel = new GrpcChannel(new Uri($"http://{node.Address}"), new GrpcChannelSettings());
        var opening = channel.OpenAsync(Handshake.ReceiveMethod, ReadOnlyMemory<byte>.Empty, TestNode.Soon());

        await time.ElapseAsync(TimeSpan.FromSeconds(10));

        var refused = await Assert.ThrowsAsync<GrpcException>(async () =>
        {
            using var call = await opening;
            Assert.Null(await call.Responses.ReadAsync(TestNode.Soon()));
            throw new GrpcException(call.Status!.Value);
        });
        Assert.Equal(GrpcStatusCode.DeadlineExceeded, refused.Status.Code);
    }

    static async Task<GrpcStatus> SendAsync(TestNode node, bool asClient, byte[][] frames)
    {
        var greeting = asClient
            ? new ConnectRequest { ClientConnection = new ClientConnection { MemberId = "fuzz" } }
            : new ConnectRequest { ServerConnection = new ServerConnection { MemberId = "fuzz", Address = "127.0.0.1:1" } };
        using var channel = new GrpcChannel(new Uri($"http://{node.Address}"), new GrpcChannelSettings());
        using var call = await channel.OpenAsync(
            Handshake.ReceiveMethod, Handshake.Frame(new RemoteMessage { ConnectRequest = greeting }), TestNode.Soon());
        try
        {
            foreach (var frame in frames) await call.WriteAsync(frame, TestNode.Soon());
            await call.FlushAsync(TestNode.Soon());
        }
        catch (IOException)
        {
            // Refused already: the status follows.
        }

        call.CompleteRequests();
        while (await call.Responses.ReadAsync(TestNode.Soon()) is not null)
        {
            // The answer to the greeting, dead letters.
        }

        return call.Status!.Value;
    }

    static Task<Pong> AskAsync(TestNode from, TestNode to, long number) =>
        from.Root.RequestAsync<Pong>(to.Of("echo"), new Ping { Number = number }, TestNode.Soon());

    /// <summary>Timers that end when the test says so.</summary>
    sealed class TimersByHand : TimeProvider
    {
        readonly Channel<(TimeSpan Due, Action Fire)> _timers = Channel.CreateUnbounded<(TimeSpan, Action)>();

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            _timers.Writer.TryWrite((dueTime, () => callback(state)));
            return new Idle();
        }

        /// <summary>Waits for a timer of that length and ends it.</summary>
        public async Task ElapseAsync(TimeSpan due)
        {
            while (true)
            {
                var timer = await _timers.Reader.ReadAsync(TestNode.Soon());
                if (timer.Due != due) continue;
                timer.Fire();
                return;
            }
        }

        sealed class Idle : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period) => true;

            public void Dispose() { }

            public ValueTask DisposeAsync() => ValueTask.CompletedTask;
        }
    }
}
