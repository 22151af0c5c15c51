using Google.Protobuf;
using Microsoft.Extensions.Logging;
using Proto.Remote.Wire;

namespace Proto.Remote.Endpoints;

/// <summary>
/// Delivers what arrives on one stream, in order, on the stream's own reading thread. Not thread-safe: one per stream.
/// </summary>
/// <param name="system">The receiving system.</param>
/// <param name="config">Serializers and how loudly unreadable messages are logged.</param>
/// <param name="endpoints">Knows who watches what.</param>
/// <param name="peerAddress">Stands for the empty address of a sender: where the sending system is reached.</param>
/// <param name="peerIdPrefix">Goes before the id of such a sender: a client is reached through the member that it is connected to.</param>
/// <param name="client">
/// Set when the stream is a client's: what may pass is limited. Never system messages: a client is no member, and must not stop or watch actors.
/// </param>
sealed partial class IncomingMessages(
    ActorSystem system,
    RemoteConfigBase config,
    EndpointManager endpoints,
    string peerAddress,
    string peerIdPrefix,
    (StreamGate Gate, IncomingConnection Connection)? client = null)
    : IEnvelopeSink
{
    readonly BatchDecoder _decoder = new();
    readonly ILogger _logger = system.LoggerFactory.CreateLogger<IncomingMessages>();
    MessageParser?[] _parsers = [];
    PID?[] _targets = [];

    /// <summary>Handles the content of a message_batch field.</summary>
    /// <exception cref="Transport.GrpcException">Malformed: the stream must end.</exception>
    public void Receive(ReadOnlySpan<byte> batch) => _decoder.Decode(batch, peerAddress, peerIdPrefix, this);

    void IEnvelopeSink.BeginBatch(int types, int targets)
    {
        if (_parsers.Length < types) _parsers = new MessageParser?[types];
        else Array.Clear(_parsers);
        if (_targets.Length < targets) _targets = new PID?[targets];
        else Array.Clear(_targets);
    }

    void IEnvelopeSink.Deliver(in IncomingEnvelope envelope)
    {
        var sender = envelope.Sender is not null && envelope.SenderRequestId != 0
            ? envelope.Sender.WithRequestId(envelope.SenderRequestId)
            : envelope.Sender;
        if (client is var (gate, connection) && !gate.Allows(connection, envelope.TargetId, envelope.TypeName))
        {
            gate.Refuse(connection, envelope.TargetId, envelope.TypeName, sender);
            return;
        }

        object message;
        try
        {
            message = Deserialize(envelope);
        }
        catch (Exception unreadable) when (unreadable is not OutOfMemoryException)
        {
            LogUnreadable(_logger, config.DeserializationErrorLogLevel, unreadable, envelope.TypeName, peerAddress);
            // Not delivered, so the requester may know at once.
            if (sender is not null && envelope.SenderRequestId != 0)
                sender.SendUserMessage(system, new DeadLetterResponse { Target = PID.FromAddress(system.Address, envelope.TargetId) });
            return;
        }

        var target = TargetOf(envelope);
        if (message is SystemMessage systemMessage)
        {
            ReceiveSystem(target, systemMessage);
            return;
        }

        if (sender is not null || envelope.Header is not null) message = new Proto.MessageEnvelope(message, sender, envelope.Header);
        target.SendUserMessage(system, message);
    }

    object Deserialize(in IncomingEnvelope envelope)
    {
        object message;
        if (envelope.SerializerId == Serialization.SERIALIZER_ID_PROTOBUF
            && (_parsers[envelope.TypeIndex] ??= config.Serialization.ProtobufParserOf(envelope.TypeName, envelope.SerializerId)) is { } parser)
        {
            message = parser.ParseFrom(envelope.Payload);
        }
        else
        {
            message = config.Serialization.Deserialize(envelope.TypeName, envelope.Payload, envelope.SerializerId);
        }

        return message is IRootSerialized wireForm ? wireForm.Deserialize(system) : message;
    }

    PID TargetOf(in IncomingEnvelope envelope)
    {
        var target = _targets[envelope.TargetIndex] ??= PID.FromAddress(system.Address, envelope.TargetId);
        return envelope.TargetRequestId == 0 ? target : target.WithRequestId(envelope.TargetRequestId);
    }

    void ReceiveSystem(PID target, SystemMessage message)
    {
        if (client is var (gate, connection))
        {
            gate.Refuse(connection, target.Id, message.GetType().Name, requester: null);
            return;
        }

        if (message is Terminated terminated) endpoints.RemoteTerminated(target, terminated);
        else target.SendSystemMessage(system, message);
    }

    [LoggerMessage(Message = "A message of type '{TypeName}' from {Peer} cannot be read and was skipped")]
    static partial void LogUnreadable(ILogger logger, LogLevel level, Exception unreadable, string typeName, string peer);
}
