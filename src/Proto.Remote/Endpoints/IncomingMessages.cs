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
/// <param name="peerId">The sending system's id.</param>
/// <param name="peerAddress">Stands for the empty address of a sender: where the sending system is reached.</param>
/// <param name="peerIdPrefix">Goes before the id of such a sender: a client is reached through the member that it is connected to.</param>
/// <param name="client">
/// Set when the stream is a client's: what may pass is limited. Of system messages only the end of an actor of its own that a member
/// watches: a client is no member, and must not stop or watch actors.
/// </param>
sealed partial class IncomingMessages(
    ActorSystem system,
    RemoteConfigBase config,
    EndpointManager endpoints,
    string peerId,
    string peerAddress,
    string peerIdPrefix,
    (StreamGate Gate, IncomingConnection Connection)? client = null)
    : IEnvelopeSink
{
    readonly BatchDecoder _decoder = new();
    readonly ILogger _logger = system.LoggerFactory.CreateLogger<IncomingMessages>();
    readonly LogThrottle _unreadable = new(system.Config.TimeProvider, 10, TimeSpan.FromSeconds(10));
    readonly int _maxMessageBytes = config.EndpointWriterOptions.MaxMessageBytes;
    bool _counts;
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
        _counts = endpoints.Metrics.CountsDeserialized;
    }

    void IEnvelopeSink.Deliver(in IncomingEnvelope envelope)
    {
        var sender = envelope.Sender is not null && envelope.SenderRequestId != 0
            ? envelope.Sender.WithRequestId(envelope.SenderRequestId)
            : envelope.Sender;
        var isFiltered = client is not null && !string.Equals(envelope.TypeName, Terminated.Descriptor.FullName, StringComparison.Ordinal);
        if (isFiltered && client is var (gate, connection) && !gate.Allows(connection, envelope.TargetId, envelope.TypeName))
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
            Skip(envelope, sender, unreadable);
            return;
        }

        if (_counts) endpoints.Metrics.Deserialized(message);
        var target = TargetOf(envelope);
        if (message is SystemMessage systemMessage)
        {
            ReceiveSystem(target, systemMessage);
            return;
        }

        if (!isFiltered && client is var (unasked, caller))
        {
            // It only calls itself a termination: the filter was not asked.
            unasked.Refuse(caller, envelope.TargetId, envelope.TypeName, sender);
            return;
        }

        if (sender is not null || envelope.Header is not null) message = new Proto.MessageEnvelope(message, sender, envelope.Header);
        target.SendUserMessage(system, message);
    }

    /// <summary>The rest of the batch is not harmed. The message was not delivered, so the requester may know at once.</summary>
    void Skip(in IncomingEnvelope envelope, PID? sender, Exception reason)
    {
        if (_unreadable.TryEnter(out _)) LogUnreadable(_logger, config.DeserializationErrorLogLevel, reason, envelope.TypeName, peerAddress);
        var target = PID.FromAddress(system.Address, envelope.TargetId);
        system.EventStream.Publish(new UnreadableMessageEvent(peerAddress, target, envelope.TypeName, envelope.SerializerId, reason));
        var header = Proto.MessageHeader.Empty.With(DeadLetterException.ReasonHeader, reason.Message);
        sender?.SendUserMessage(system, new Proto.MessageEnvelope(new DeadLetterResponse { Target = target }, null, header));
    }

    object Deserialize(in IncomingEnvelope envelope)
    {
        if (envelope.Payload.Length > _maxMessageBytes)
            throw new MessageTooLargeException(envelope.TypeName, envelope.Payload.Length, _maxMessageBytes);

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
            if (message is Terminated ofClient) endpoints.ClientTerminated(peerId, target, ofClient);
            else gate.Refuse(connection, target.Id, message.GetType().Name, requester: null);
            return;
        }

        if (message is Terminated terminated) endpoints.RemoteTerminated(peerId, target, terminated);
        else target.SendSystemMessage(system, message);
    }

    [LoggerMessage(Message = "A message of type '{TypeName}' from {Peer} cannot be read and was skipped")]
    static partial void LogUnreadable(ILogger logger, LogLevel level, Exception unreadable, string typeName, string peer);
}
