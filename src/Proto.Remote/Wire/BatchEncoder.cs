using Google.Protobuf;
using Proto.Remote.Transport;

namespace Proto.Remote.Wire;

/// <summary>
/// Writes <c>RemoteMessage{message_batch}</c> frames straight from queued messages: the same bytes as the generated classes
/// would write, without an object per envelope and without a copy of the payload. Not thread-safe: one per stream.
/// </summary>
/// <param name="system">For messages that travel in another form (<see cref="IRootSerializable"/>).</param>
/// <param name="serialization">Writes the payloads.</param>
/// <param name="ownAddress">Travels as "": the receiver knows it from the handshake.</param>
/// <param name="options">Limits of a message and of a batch.</param>
/// <param name="maxFrameBytes">Largest frame, without gRPC's prefix: a message that does not fit beside others begins the next one.</param>
/// <param name="targetIdPrefix">Taken off the ids of targets: this system knows a client's actors as <c>$client/{system id}/{id}</c>, the client as <c>{id}</c>.</param>
sealed class BatchEncoder(
    ActorSystem system, Serialization serialization, string ownAddress, EndpointWriterOptions options, int maxFrameBytes, string targetIdPrefix = "")
    : IDisposable
{
    // Field numbers of Protos.proto as tag bytes: (number << 3) | wire type.
    const byte MessageBatch = 1 << 3 | 2;
    const byte TypeNames = 1 << 3 | 2;
    const byte Targets = 2 << 3 | 2;
    const byte Envelopes = 3 << 3 | 2;
    const byte Senders = 4 << 3 | 2;
    const byte TypeId = 1 << 3;
    const byte MessageData = 2 << 3 | 2;
    const byte Target = 3 << 3;
    const byte Sender = 4 << 3;
    const byte SerializerId = 5 << 3;
    const byte Header = 6 << 3 | 2;
    const byte TargetRequestId = 7 << 3;
    const byte SenderRequestId = 8 << 3;
    const byte HeaderData = 1 << 3 | 2;
    const byte MapKey = 1 << 3 | 2;
    const byte MapValue = 2 << 3 | 2;
    const byte PidAddress = 1 << 3 | 2;
    const byte PidId = 2 << 3 | 2;

    readonly WireWriter _envelopes = new(64 * 1024);
    // The tables as they will stand in the frame, in the order of their indexes.
    readonly WireWriter _types = new(1024);
    readonly WireWriter _targets = new(4 * 1024);
    readonly WireWriter _senders = new(1024);
    readonly Dictionary<string, int> _typeIds = new(StringComparer.Ordinal);
    readonly Dictionary<string, int> _targetIds = new(StringComparer.Ordinal);
    readonly Dictionary<(string Address, string Id), int> _senderIds = [];
    // The newest entries, for the one message that does not fit any more.
    string _lastType = "";
    string _lastTarget = "";
    (string Address, string Id) _lastSender;
    // What this system sends and the peer takes.
    int _maxMessageBytes = options.MaxMessageBytes;
    int _peerMaxFrameBytes = int.MaxValue;

    /// <summary>
    /// Appends one frame with as many of the messages as one batch takes, and returns how many those are (at least one).
    /// A message that cannot be written (no serializer, too large, a header that fails) is handed to <paramref name="refused"/>,
    /// takes no place, and is marked so that nobody reports it again.
    /// </summary>
    public int Encode(Span<OutgoingMessage> messages, WireWriter output, Action<OutgoingMessage, Exception> refused)
    {
        Reset();
        var taken = 0;
        var written = 0;
        var maxBytes = Math.Min(maxFrameBytes, _peerMaxFrameBytes);
        while (taken < messages.Length && written < options.EndpointWriterBatchSize && _envelopes.Length < options.MaxBatchBytes)
        {
            ref var next = ref messages[taken];
            if (next.IsRefused)
            {
                taken++;
                continue;
            }

            var before = Mark();
            try
            {
                WriteEnvelope(next);
                if (MessageBytes > maxBytes)
                {
                    var tooLarge = MessageBytes;
                    TakeBack(before);
                    if (written > 0) break;
                    throw new MessageTooLargeException(next.Message.GetType().Name, tooLarge, maxBytes, "the largest frame that both sides take");
                }
            }
            catch (Exception failure) when (failure is not OutOfMemoryException)
            {
                TakeBack(before);
                taken++;
                var unsendable = next;
                next = next.Refused();
                refused(unsendable, failure);
                continue;
            }

            taken++;
            written++;
        }

        if (written > 0) WriteFrame(output);
        return taken;
    }

    /// <summary>Sets the largest message that the peer takes; 0 when it did not say. The lower limit of both sides holds.</summary>
    public void LimitTo(int peerMaxMessageBytes)
    {
        _maxMessageBytes = peerMaxMessageBytes > 0 ? Math.Min(peerMaxMessageBytes, options.MaxMessageBytes) : options.MaxMessageBytes;
        _peerMaxFrameBytes = (int)Math.Min(int.MaxValue, EndpointWriterOptions.FrameBytesPerMessageByte * (long)_maxMessageBytes);
    }

    public void Dispose()
    {
        _envelopes.Dispose();
        _types.Dispose();
        _targets.Dispose();
        _senders.Dispose();
    }

    int BatchBytes => _types.Length + _targets.Length + _envelopes.Length + _senders.Length;

    int MessageBytes => 1 + WireWriter.VarintSize((uint)BatchBytes) + BatchBytes;

    (int Envelopes, int Types, int Targets, int Senders) Mark() => (_envelopes.Length, _types.Length, _targets.Length, _senders.Length);

    /// <summary>Takes the envelope written since the mark away, and what it added to the tables: one entry of each at most.</summary>
    void TakeBack((int Envelopes, int Types, int Targets, int Senders) before)
    {
        _envelopes.Length = before.Envelopes;
        if (_types.Length > before.Types) _typeIds.Remove(_lastType);
        if (_targets.Length > before.Targets) _targetIds.Remove(_lastTarget);
        if (_senders.Length > before.Senders) _senderIds.Remove(_lastSender);
        (_types.Length, _targets.Length, _senders.Length) = (before.Types, before.Targets, before.Senders);
    }

    void Reset()
    {
        _envelopes.Clear();
        _types.Clear();
        _targets.Clear();
        _senders.Clear();
        _typeIds.Clear();
        _targetIds.Clear();
        _senderIds.Clear();
    }

    void WriteEnvelope(in OutgoingMessage next)
    {
        var payload = serialization.Prepare(next.Message is IRootSerializable root ? root.Serialize(system) : next.Message);
        var payloadBytes = payload.Size;
        if (payloadBytes > _maxMessageBytes)
            throw new MessageTooLargeException(payload.TypeName, payloadBytes, _maxMessageBytes);
        if (next.Message is not IMessage) serialization.Measured(next.Message.GetType(), payloadBytes);

        var typeId = IdOf(payload.TypeName, _typeIds, _types, TypeNames, ref _lastType);
        var target = IdOf(WithoutPrefix(next.Target.Id), _targetIds, _targets, Targets, ref _lastTarget);
        var sender = next.Sender is null ? 0u : SenderId(next.Sender);
        var senderRequestId = next.Sender?.RequestId ?? 0;
        var headerBytes = next.Header is { Count: > 0 } header ? HeaderSize(header) : 0;

        var size = WireWriter.VarintFieldSize(typeId)
            + (payloadBytes == 0 ? 0 : 1 + WireWriter.VarintSize((uint)payloadBytes) + payloadBytes)
            + WireWriter.VarintFieldSize(target)
            + WireWriter.VarintFieldSize(sender)
            + WireWriter.VarintFieldSize((uint)payload.SerializerId)
            + (headerBytes == 0 ? 0 : 1 + WireWriter.VarintSize((uint)headerBytes) + headerBytes)
            + WireWriter.VarintFieldSize(next.Target.RequestId)
            + WireWriter.VarintFieldSize(senderRequestId);

        var envelopes = _envelopes;
        envelopes.Append(1)[0] = Envelopes;
        envelopes.Varint((uint)size);
        envelopes.VarintField(TypeId, typeId);
        if (payloadBytes > 0)
        {
            envelopes.Append(1)[0] = MessageData;
            envelopes.Varint((uint)payloadBytes);
            payload.WriteTo(envelopes.Append(payloadBytes));
        }

        envelopes.VarintField(Target, target);
        envelopes.VarintField(Sender, sender);
        envelopes.VarintField(SerializerId, (uint)payload.SerializerId);
        if (headerBytes > 0) WriteHeader(next.Header!, headerBytes);
        envelopes.VarintField(TargetRequestId, next.Target.RequestId);
        envelopes.VarintField(SenderRequestId, senderRequestId);
    }

    string WithoutPrefix(string id) =>
        targetIdPrefix.Length > 0 && id.StartsWith(targetIdPrefix, StringComparison.Ordinal) ? id[targetIdPrefix.Length..] : id;

    /// <summary>0-based.</summary>
    static uint IdOf(string name, Dictionary<string, int> ids, WireWriter table, byte tag, ref string last)
    {
        if (ids.TryGetValue(name, out var id)) return (uint)id;
        id = ids.Count;
        ids.Add(name, id);
        last = name;
        table.StringElement(tag, name);
        return (uint)id;
    }

    /// <summary>1-based. A PID made before the system had an address is one of its own too.</summary>
    uint SenderId(PID sender)
    {
        var isOwn = string.Equals(sender.Address, ownAddress, StringComparison.Ordinal)
            || string.Equals(sender.Address, ActorSystem.NoHost, StringComparison.Ordinal);
        var key = (Address: isOwn ? "" : sender.Address, sender.Id);
        if (_senderIds.TryGetValue(key, out var id)) return (uint)id;
        id = _senderIds.Count + 1;
        _senderIds.Add(key, id);
        _lastSender = key;
        _senders.Append(1)[0] = Senders;
        _senders.Varint((uint)(WireWriter.StringFieldSize(key.Address) + WireWriter.StringFieldSize(key.Id)));
        _senders.StringField(PidAddress, key.Address);
        _senders.StringField(PidId, key.Id);
        return (uint)id;
    }

    static int HeaderSize(Proto.MessageHeader header)
    {
        var size = 0;
        foreach (var (key, value) in header)
        {
            var entry = WireWriter.StringFieldSize(key) + WireWriter.StringFieldSize(value);
            size += 1 + WireWriter.VarintSize((uint)entry) + entry;
        }

        return size;
    }

    void WriteHeader(Proto.MessageHeader header, int headerBytes)
    {
        _envelopes.Append(1)[0] = Header;
        _envelopes.Varint((uint)headerBytes);
        foreach (var (key, value) in header)
        {
            _envelopes.Append(1)[0] = HeaderData;
            _envelopes.Varint((uint)(WireWriter.StringFieldSize(key) + WireWriter.StringFieldSize(value)));
            _envelopes.StringField(MapKey, key);
            _envelopes.StringField(MapValue, value);
        }
    }

    void WriteFrame(WireWriter output)
    {
        GrpcFrame.WritePrefix(output.Append(GrpcFrame.PrefixLength), MessageBytes);
        output.Append(1)[0] = MessageBatch;
        output.Varint((uint)BatchBytes);
        output.Write(_types.Written);
        output.Write(_targets.Written);
        output.Write(_envelopes.Written);
        output.Write(_senders.Written);
    }
}
