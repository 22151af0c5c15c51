using Google.Protobuf;
using Proto.Remote.Tests.Messages;
using Proto.Remote.Transport;

namespace Proto.Remote.Tests;

/// <summary>What is told of messages and requests when the connection that carries them is lost.</summary>
public sealed class LostBatchTests
{
    /// <summary>Defect 3 of the original: a batch whose write fails was lost without a word.</summary>
    [Fact]
    public async Task Every_message_of_a_batch_in_flight_is_reported_as_unknown_and_none_is_repeated()
    {
        const int Count = 5_000;
        var arriving = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var cut = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var received = new TaskCompletionSource<List<long>>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var peer = await ScriptedPeer.StartAsync(async (stream, call, over) =>
        {
            if (stream == 1)
            {
                await CutAfterFirstFrameAsync(call, arriving, cut.Task);
                return;
            }

            var numbers = new List<long>();
            while (await call.Requests.ReadAsync(over) is { } frame)
            {
                numbers.AddRange(Numbers(frame.Span));
                if (numbers[^1] == Count) received.TrySetResult(numbers);
            }
        });
        await using var a = await TestNode.StartAsync();
        var states = a.Events<EndpointStateChanged>();
        var reports = a.Events<DeadLetterEvent>();
        var body = ByteString.CopyFrom(new byte[4096]);

        for (var i = 0; i < Count; i++) a.Root.Send(peer.Of("x"), new Ping { Number = i, Body = body });
        await arriving.Task.WaitAsync(TestNode.Soon());
        cut.SetResult();
        await StateAsync(states, EndpointState.Connecting);
        a.Root.Send(peer.Of("x"), new Ping { Number = Count });
        var arrived = await received.Task.WaitAsync(TestNode.Soon());

        var reported = new List<long>();
        while (reports.TryRead(out var report))
        {
            Assert.Equal(DeliveryOutcome.Unknown, report.Outcome);
            reported.Add(Assert.IsType<Ping>(report.Message).Number);
        }

        // A batch was on its way; it is reported, and what came after it arrives over the next connection: nothing twice, nothing left out.
        Assert.NotEmpty(reported);
        var from = (int)reported[0];
        Assert.Equal(Enumerable.Range(from, Count + 1 - from).Select(number => (long)number), reported.Concat(arrived));
    }

    [Fact]
    public async Task Requests_of_a_batch_in_flight_end_at_once_as_unknown_never_as_a_dead_letter()
    {
        var arriving = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var cut = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var peer = await ScriptedPeer.StartAsync((stream, call, over) =>
            stream == 1 ? CutAfterFirstFrameAsync(call, arriving, cut.Task) : ScriptedPeer.UntilOverAsync(over));
        await using var a = await TestNode.StartAsync();
        var states = a.Events<EndpointStateChanged>();
        var body = ByteString.CopyFrom(new byte[1024 * 1024]);

        // Larger than all windows and buffers: some were written, one hangs in its write, the last ones wait in the queue.
        var requests = Enumerable.Range(0, 20).Select(_ => a.Root.RequestAsync<Pong>(peer.Of("x"), new Ping { Body = body }, CancellationToken.None)).ToList();
        await arriving.Task.WaitAsync(TestNode.Soon());
        var first = requests[0];
        cut.SetResult();

        var unknown = await Assert.ThrowsAsync<UnknownOutcomeException>(() => first.WaitAsync(TestNode.Soon()));
        Assert.Equal(peer.Of("x"), unknown.Pid);
        await StateAsync(states, EndpointState.Connecting);
        Assert.DoesNotContain(requests, request => request.IsFaulted && request.Exception!.InnerException is DeadLetterException);
        Assert.Contains(requests, request => !request.IsCompleted);
    }

    [Theory]
    [InlineData(5_000)]
    [InlineData(1)]
    public async Task Unanswered_requests_end_at_once_when_their_connection_is_lost(int sharedFutures)
    {
        await using var a = await TestNode.StartAsync(systemConfig: new ActorSystemConfig().WithSharedFutures(sharedFutures));
        await using var b = await TestNode.StartAsync();
        await using var relay = new Relay(b.System.GetAddress().Port);
        var silent = b.SpawnInbox("silent", out _);
        b.SpawnEcho();
        var deadLetters = a.Events<DeadLetterEvent>();
        await a.Root.RequestAsync<Pong>(PID.FromAddress(relay.Address, "echo"), new Ping(), TestNode.Soon());
        var waiting = Enumerable.Range(0, 10)
            .Select(_ => a.Root.RequestAsync<Pong>(PID.FromAddress(relay.Address, "silent"), new Ping(), CancellationToken.None)).ToList();
        foreach (var _ in waiting) await silent.ReadAsync(TestNode.Soon());

        relay.Cut();

        foreach (var request in waiting) await Assert.ThrowsAsync<UnknownOutcomeException>(() => request.WaitAsync(TestNode.Soon()));
        // Answered requests are not touched: their futures would make dead letters of another answer. (The flush of the last batch may have been under way.)
        while (deadLetters.TryRead(out var report)) Assert.Equal(DeliveryOutcome.Unknown, report.Outcome);
    }

    [Fact]
    public async Task A_member_that_asks_a_client_learns_at_once_that_the_client_is_gone()
    {
        await using var member = await TestNode.StartAsync();
        member.SpawnEcho();
        var client = await TestNode.StartClientAsync();
        var silent = client.SpawnInbox("silent", out _);
        await client.Root.RequestAsync<Pong>(member.Of("echo"), new Ping(), TestNode.Soon());
        var waiting = member.Root.RequestAsync<Pong>(member.Of($"$client/{client.System.Id}/silent"), new Ping(), CancellationToken.None);
        await silent.ReadAsync(TestNode.Soon());

        await client.KillAsync();

        await Assert.ThrowsAsync<UnknownOutcomeException>(() => waiting.WaitAsync(TestNode.Soon()));
        await client.DisposeAsync();
    }

    /// <summary>Then more is on its way than the stream's window takes: the sender hangs in a write.</summary>
    static async Task CutAfterFirstFrameAsync(IServerCall call, TaskCompletionSource arriving, Task cut)
    {
        await call.Requests.ReadAsync(call.Aborted);
        arriving.SetResult();
        await cut;
        call.Abort();
    }

    static async Task StateAsync(System.Threading.Channels.ChannelReader<EndpointStateChanged> states, EndpointState wanted)
    {
        while ((await states.ReadAsync(TestNode.Soon())).State != wanted)
        {
            // An earlier change.
        }
    }

    static IEnumerable<long> Numbers(ReadOnlySpan<byte> frame) =>
        RemoteMessage.Parser.ParseFrom(frame).MessageBatch.Envelopes.Select(envelope => Ping.Parser.ParseFrom(envelope.MessageData).Number).ToList();
}
