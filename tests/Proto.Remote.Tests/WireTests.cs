using Google.Protobuf;
using Proto.Remote.Tests.Messages;
using Proto.Remote.Transport;
using Proto.Remote.Wire;

namespace Proto.Remote.Tests;

/// <summary>Encoder and decoder against the generated classes, each other, and malformed batches. The bytes themselves: Golden/.</summary>
public sealed class WireTests
{
    [Fact]
    public void A_batch_is_what_the_generated_classes_would_write()
    {
        var output = Encode([.. SomeMessages()]);

        var parsed = RemoteMessage.Parser.ParseFrom(output.AsSpan(GrpcFrame.PrefixLength));

        Assert.Equal(parsed.ToByteArray(), output.AsSpan(GrpcFrame.PrefixLength).ToArray());
        Assert.Equal(20, parsed.MessageBatch.Envelopes.Count);
        Assert.Equal(2, parsed.MessageBatch.TypeNames.Count);
    }

    [Fact]
    public void What_is_encoded_is_decoded()
    {
        var sent = SomeMessages().ToArray();
        var sink = new Sink();
        var frame = Encode(sent);

        Assert.True(Proto.Remote.Endpoints.Handshake.TryGetBatch(frame.AsSpan(GrpcFrame.PrefixLength), out var batch));
        new BatchDecoder().Decode(batch, "own:1", "", sink);

        Assert.Equal(sent.Select(Describe), sink.Received);
    }

    [Theory]
    [InlineData("1A 02 08 01", "type 1 of 0")] // an envelope whose type is not in the table
    [InlineData("0A 01 54 1A 02 18 01", "target 1 of 0")]
    [InlineData("0A 01 54 12 01 74 1A 02 20 01", "sender 1 of 0")]
    [InlineData("1A 7F 08", "a length reaches beyond the message")]
    [InlineData("FF FF FF FF FF FF FF FF FF FF 01", "a number is longer than ten bytes")]
    [InlineData("0A 02 C3 28", "a string is not UTF-8")]
    [InlineData("00", "field number 0")]
    [InlineData("0B", "wire type 3")]
    public void A_malformed_batch_is_refused_and_says_why(string hex, string reason)
    {
        var refused = Assert.Throws<GrpcException>(() => new BatchDecoder().Decode(Bytes(hex), "peer:1", "", new Sink()));

        Assert.Equal(GrpcStatusCode.InvalidArgument, refused.Status.Code);
        Assert.Contains(reason, refused.Message, StringComparison.Ordinal);
    }

    static IEnumerable<OutgoingMessage> SomeMessages()
    {
        for (var i = 0; i < 20; i++)
        {
            yield return new OutgoingMessage(
                new PID("peer:2", $"target-{i % 3}") { RequestId = (uint)(i * 1000) },
                i % 2 == 0 ? new Ping { Number = i, Text = new string('x', i * 20) } : new Pong(),
                i % 4 == 0 ? null : new PID(i % 4 == 1 ? "own:1" : "third:3", $"sender-{i % 5}") { RequestId = (uint)i },
                i % 7 == 0 ? Proto.MessageHeader.Empty.With("key", $"value {i}") : null);
        }
    }

    static byte[] Encode(params OutgoingMessage[] messages)
    {
        var serialization = new Serialization();
        serialization.RegisterFileDescriptor(TestMessagesReflection.Descriptor);
        using var encoder = new BatchEncoder(new ActorSystem(), serialization, "own:1", new EndpointWriterOptions { MaxMessageBytes = 1 << 20 }, 1 << 21);
        using var output = new WireWriter(16);
        var taken = encoder.Encode(messages, output, (message, failure) => Assert.Fail($"{message.Message}: {failure}"));
        Assert.Equal(messages.Length, taken);
        return output.Written.ToArray();
    }

    static string Describe(OutgoingMessage message) => string.Join(
        '|',
        ((IMessage)message.Message).Descriptor.FullName,
        Hex(((IMessage)message.Message).ToByteArray()),
        message.Target.Id,
        message.Target.RequestId,
        message.Sender is null ? "" : $"{message.Sender.Address}/{message.Sender.Id}",
        message.Sender?.RequestId ?? 0,
        message.Header is null ? "" : string.Join(',', message.Header));

    static string Hex(ReadOnlySpan<byte> bytes) => Convert.ToHexString(bytes).Chunk(2).Select(pair => new string(pair)).Aggregate("", (all, next) => all.Length == 0 ? next : $"{all} {next}");

    static byte[] Bytes(string hex) => Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal));

    sealed class Sink : IEnvelopeSink
    {
        public List<string> Received { get; } = [];

        public void BeginBatch(int types, int targets) { }

        public void Deliver(in IncomingEnvelope envelope) => Received.Add(string.Join(
            '|',
            envelope.TypeName,
            Hex(envelope.Payload),
            envelope.TargetId,
            envelope.TargetRequestId,
            envelope.Sender is null ? "" : $"{envelope.Sender.Address}/{envelope.Sender.Id}",
            envelope.SenderRequestId,
            envelope.Header is null ? "" : string.Join(',', envelope.Header)));
    }
}
