using Proto.Remote.Endpoints;
using Proto.Remote.Transport;
using Proto.Remote.Wire;

namespace Proto.Remote.Tests.Fuzz;

/// <summary>The decoders take any bytes: they read them, or refuse them as malformed.</summary>
public sealed class DecoderFuzzTests
{
    [Fact]
    public void Almost_right_messages_are_read_or_refused()
    {
        var mutations = new Mutations(seed: 1);
        var (read, refused) = (0, 0);
        for (var i = 0; i < 100_000; i++)
        {
            var message = mutations.NextMessage();
            try
            {
                if (Handshake.TryGetBatch(message, out var batch)) new BatchDecoder().Decode(batch, "peer:1", "", Nobody.Instance);
                else Handshake.Parse(message);
                read++;
            }
            catch (GrpcException malformed)
            {
                Assert.Equal(GrpcStatusCode.InvalidArgument, malformed.Status.Code);
                refused++;
            }
        }

        // Both kinds came up: the test has seen what it is about.
        Assert.True(read > 1000 && refused > 1000, $"{read} read, {refused} refused");
    }

    [Fact]
    public void Any_bytes_are_a_batch_or_refused()
    {
        var random = new Random(20261120);
        for (var i = 0; i < 20_000; i++)
        {
            var bytes = new byte[random.Next(60)];
            random.NextBytes(bytes);
            try
            {
                new BatchDecoder().Decode(bytes, "peer:1", "", Nobody.Instance);
            }
            catch (GrpcException refused)
            {
                Assert.Equal(GrpcStatusCode.InvalidArgument, refused.Status.Code);
            }
        }
    }

    [Fact]
    public async Task Any_stream_of_frames_ends_or_is_refused()
    {
        var mutations = new Mutations(seed: 2);
        for (var i = 0; i < 2_000; i++)
        {
            using var body = new MemoryStream([.. mutations.Next(), .. mutations.Next(), .. mutations.Next()]);
            using var reader = new GrpcFrameReader(body, 64 * 1024);
            try
            {
                while (await reader.ReadAsync(CancellationToken.None) is { } message) Assert.True(message.Length <= 64 * 1024);
            }
            catch (GrpcException refused)
            {
                Assert.True(
                    refused.Status.Code is GrpcStatusCode.InvalidArgument or GrpcStatusCode.ResourceExhausted or GrpcStatusCode.Unimplemented, refused.Message);
            }
        }
    }

    /// <summary>Five bytes announce a large message and nothing of it comes: nothing may be set aside for it.</summary>
    [Fact]
    public async Task A_length_is_only_a_claim()
    {
        const int Limit = 256 * 1024 * 1024;
        using var body = new MemoryStream([0, 0x0f, 0xff, 0xff, 0xff, 1, 2, 3]);
        using var reader = new GrpcFrameReader(body, Limit);
        var before = GC.GetAllocatedBytesForCurrentThread();

        await Assert.ThrowsAsync<GrpcException>(async () => await reader.ReadAsync(CancellationToken.None));

        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 1024 * 1024);
    }

    [Fact]
    public async Task A_large_message_that_comes_in_small_pieces_is_whole()
    {
        var content = new byte[3 * 1024 * 1024];
        new Random(3).NextBytes(content);
        using var body = new SmallPieces([.. GrpcFrame.Wrap(content), .. GrpcFrame.Wrap([7])]);
        using var reader = new GrpcFrameReader(body, content.Length);

        Assert.True((await reader.ReadAsync(CancellationToken.None))!.Value.Span.SequenceEqual(content));
        Assert.Equal([7], (await reader.ReadAsync(CancellationToken.None))!.Value.ToArray());
        Assert.Null(await reader.ReadAsync(CancellationToken.None));
    }

    sealed class Nobody : IEnvelopeSink
    {
        public static readonly Nobody Instance = new();

        public void BeginBatch(int types, int targets) { }

        public void Deliver(in IncomingEnvelope envelope) { }
    }

    sealed class SmallPieces(byte[] content) : MemoryStream(content)
    {
        readonly Random _random = new(4);

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(buffer.Length, _random.Next(1, 20_000))], cancellationToken);
    }
}
