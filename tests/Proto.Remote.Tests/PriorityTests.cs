using Google.Protobuf;
using Proto.Remote.Endpoints;
using Proto.Remote.Tests.Messages;
using Proto.Remote.Transport;
using Proto.Remote.Wire;

namespace Proto.Remote.Tests;

public sealed class PriorityTests
{
    [Fact]
    public void A_priority_message_leaves_with_the_next_batch_although_100_000_others_wait()
    {
        using var sender = new Sender();
        for (var i = 0; i < 100_000; i++) sender.Queue(new Ping { Number = i });
        Assert.True(sender.Batches.EncodeNext());
        Assert.Equal("Ping", Assert.Single(Frames(sender)));

        sender.Queue(new Urgent { Number = 1 });
        sender.Queue(new Urgent { Number = 2 });

        Assert.True(sender.Batches.EncodeNext());
        Assert.Equal(["Urgent", "Ping"], Frames(sender));
    }

    [Fact]
    public void Priority_messages_do_not_starve_the_others()
    {
        using var sender = new Sender();
        for (var i = 0; i < 5_000; i++) sender.Queue(new Urgent());
        for (var i = 0; i < 2_000; i++) sender.Queue(new Ping());

        for (var round = 0; round < 2; round++)
        {
            Assert.True(sender.Batches.EncodeNext());
            Assert.Equal(["Urgent", "Ping"], Frames(sender));
        }
    }

    [Fact]
    public async Task Each_lane_keeps_its_order()
    {
        const int Count = 20_000;
        await using var a = await TestNode.StartAsync();
        await using var b = await TestNode.StartAsync();
        var inbox = b.SpawnInbox("inbox", out _);
        for (var i = 0; i < Count; i++)
        {
            a.Root.Send(b.Of("inbox"), new Ping { Number = i });
            a.Root.Send(b.Of("inbox"), new Urgent { Number = i });
        }

        long ping = 0, urgent = 0;
        while (ping + urgent < 2 * Count)
        {
            switch (await inbox.ReadAsync(TestNode.Soon()))
            {
                case Ping message: Assert.Equal(ping++, message.Number); break;
                case Urgent message: Assert.Equal(urgent++, message.Number); break;
            }
        }
    }

    [Fact]
    public async Task A_priority_message_overtakes_what_a_peer_has_not_read_yet_but_for_the_bytes_on_their_way()
    {
        const int Count = 30_000;
        const int Body = 1024;
        var reading = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var position = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var peer = await ScriptedPeer.StartAsync(async (_, call, over) =>
        {
            await reading.Task;
            for (var before = 0; await call.Requests.ReadAsync(over) is { } frame;)
            {
                var batch = RemoteMessage.Parser.ParseFrom(frame.Span).MessageBatch;
                if (batch.TypeNames.Contains("prototest.Urgent")) position.TrySetResult(before);
                else before += batch.Envelopes.Count;
            }
        });
        await using var a = await TestNode.StartAsync();
        var connected = a.Events<EndpointStateChanged>();
        var body = ByteString.CopyFrom(new byte[Body]);
        for (var i = 0; i < Count; i++) a.Root.Send(peer.Of("x"), new Ping { Body = body });
        await connected.ReadAsync(TestNode.Soon());

        a.Root.Send(peer.Of("x"), new Urgent());
        reading.SetResult();

        // The peer's window is 64 KiB; with what both ends of the connection buffer, some batches of 128 KiB at most are ahead.
        Assert.InRange(await position.Task.WaitAsync(TestNode.Soon()), 0, 4 * 1024 * 1024 / Body);
    }

    static List<string> Frames(Sender sender)
    {
        var frames = new List<string>();
        for (var rest = sender.Batches.Output; !rest.IsEmpty;)
        {
            var length = System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(rest.Span[1..]);
            var batch = RemoteMessage.Parser.ParseFrom(rest.Span.Slice(GrpcFrame.PrefixLength, length)).MessageBatch;
            frames.Add(Assert.Single(batch.TypeNames)["prototest.".Length..]);
            rest = rest[(GrpcFrame.PrefixLength + length)..];
        }

        return frames;
    }

    /// <summary>A queue and the batches that are made of it, without a stream.</summary>
    sealed class Sender : IDisposable
    {
        readonly OutgoingQueue _queue = new(1_000_000, long.MaxValue);

        public Sender()
        {
            var system = new ActorSystem();
            var config = GrpcNet.GrpcNetRemoteConfig.BindToLocalhost().WithProtoMessages(TestMessagesReflection.Descriptor);
            Batches = new OutgoingBatches(system, config, new RemoteMetrics(system), _queue, "", (_, reason) => throw reason);
        }

        public OutgoingBatches Batches { get; }

        public void Queue(IMessage message)
        {
            var queued = new OutgoingMessage(PID.FromAddress("peer:1", "x"), message, null, null, message.CalculateSize());
            Assert.Equal(EnqueueResult.Queued, _queue.TryEnqueue(queued, message is IRemotePriorityMessage));
        }

        public void Dispose() => Batches.Dispose();
    }
}
