using Google.Protobuf;
using Proto.Remote.Tests.Messages;
using Proto.Remote.Transport;
using Proto.Remote.Wire;

namespace Proto.Remote.Tests.Golden;

/// <summary>Bytes written out by hand, and the engine's encoder and decoder at work on them.</summary>
static class GoldenBytes
{
    /// <summary>Hexadecimal text; what stands behind <c>//</c> in a line explains it.</summary>
    public static byte[] Of(string text)
    {
        var digits = text.Split('\n').Select(line => line.Split("//")[0]);
        return Convert.FromHexString(string.Concat(digits.SelectMany(line => line.Where(c => !char.IsWhiteSpace(c)))));
    }

    /// <summary>A frame's message without gRPC's five bytes before it.</summary>
    public static byte[] Encode(params OutgoingMessage[] messages)
    {
        using var encoder = new BatchEncoder(new ActorSystem(), Known(), "own:1", new EndpointWriterOptions { MaxMessageBytes = 1 << 20 }, 1 << 21);
        using var output = new WireWriter(16);
        var taken = encoder.Encode(messages, output, (message, failure) => Assert.Fail($"{message.Message}: {failure}"));
        Assert.Equal(messages.Length, taken);
        var frame = output.Written.ToArray();
        Assert.Equal([0, 0, 0, 0, (byte)(frame.Length - GrpcFrame.PrefixLength)], frame[..GrpcFrame.PrefixLength]);
        return frame[GrpcFrame.PrefixLength..];
    }

    /// <summary>What a receiver at another address, connected to "peer:2", gets from a frame's message.</summary>
    public static Received[] Decode(byte[] message)
    {
        Assert.True(Proto.Remote.Endpoints.Handshake.TryGetBatch(message, out var batch));
        var sink = new Sink();
        new BatchDecoder().Decode(batch, "peer:2", "", sink);
        return [.. sink.All];
    }

    static Serialization Known()
    {
        var serialization = new Serialization();
        serialization.RegisterFileDescriptor(TestMessagesReflection.Descriptor);
        return serialization;
    }

    public sealed record Received(string TypeName, int SerializerId, object Message, string TargetId, uint TargetRequestId, string Sender, uint SenderRequestId, string Header);

    sealed class Sink : IEnvelopeSink
    {
        readonly Serialization _serialization = Known();

        public List<Received> All { get; } = [];

        public void BeginBatch(int types, int targets) { }

        public void Deliver(in IncomingEnvelope envelope) => All.Add(new Received(
            envelope.TypeName,
            envelope.SerializerId,
            _serialization.Deserialize(envelope.TypeName, ByteString.CopyFrom(envelope.Payload), envelope.SerializerId),
            envelope.TargetId,
            envelope.TargetRequestId,
            envelope.Sender is null ? "" : $"{envelope.Sender.Address}/{envelope.Sender.Id}",
            envelope.SenderRequestId,
            string.Join(", ", (envelope.Header ?? Proto.MessageHeader.Empty).Select(pair => $"{pair.Key}={pair.Value}").Order(StringComparer.Ordinal))));
    }
}
