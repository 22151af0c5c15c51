using Proto.Remote.Transport;

namespace Proto.Remote.Wire;

/// <summary>
/// Writes <c>RemoteMessage{message_batch}</c> frames straight from queued messages: the same bytes as the generated classes
/// would write, without an object per envelope and without a copy of the payload. Not thread-safe: one per stream.
/// </summary>
/// <param name="system">For messages that travel in another form (<see cref="IRootSerializable"/>).</param>
/// <param name="serialization">Writes the payloads.</param>
/// <param name="ownAddress">Travels as "": the receiver knows it from the handshake.</param>
/// <param name="maxMessages">Most messages in one batch.</param>
/// <param name="maxMessageBytes">Largest payload.</param>
/// <param name="targetIdPrefix">Taken off the ids of targets: this system knows a client's actors as <c>$client/{system id}/{id}</c>, the client as <c>{id}</c>.</param>
sealed class BatchEncoder(
    ActorSystem system, Serialization serialization, string ownAddress, int maxMessages, int maxMessageBytes, string targetIdPrefix = "") : IDisposable
{
    /// <summary>A batch is closed when its envelopes reach this size, so that a frame stays small beside the stream's window.</summary>
    const int CloseBatchBytes = 128 * 1024;

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
    readonly WireWriter _tables = new(4 * 1024);
    readonly WireWriter _senders = new(1024);
    readonly Dictionary<string, int> _typeIds = new(StringComparer.Ordinal);
    readonly Dictionary<string, int> _targetIds = new(StringComparer.Ordinal);
    readonly Dictionary<(string Address, string Id), int> _senderIds = [];

    /// <summary>
    /// Appends one frame with as many of the messages as one batch takes, and returns how many those are (at least one).
    /// A message that cannot be written (no serializer, too large, a header that fails) is handed to <paramref name="refused"/>
    /// and takes no place.
    /// </summary>
    public int Encode(ReadOnlySpan<OutgoingMessage> messages, WireWriter output, Action<OutgoingMessage, Exception> refused)
    {
        Reset();
        var taken = 0;
        var written = 0;
        while (taken < messages.Length && written < maxMessages && _envelopes.Length < CloseBatchBytes)
        {
            ref readonly var next = ref messages[taken];
            var before = _envelopes.Length;
            try
            {
                WriteEnvelope(next);
            }
            catch (Exception failure) when (failure is not OutOfMemoryException)
            {
                _envelopes.Length = before;
                taken++;
                refused(next, failure);
                continue;
            }

            taken++;
            written++;
        }

        if (written > 0) WriteFrame(output);
        return taken;
    }

    public void Dispose()
    {
        _envelopes.Dispose();
        _tables.Dispose();
        _senders.Dispose();
    }

    void Reset()
    {
        _envelopes.Clear();
        _typeIds.Clear();
        _targetIds.Clear();
        _senderIds.Clear();
    }

    void WriteEnvelope(in OutgoingMessage next)
    {
        var payload = serialization.Prepare(next.Message is IRootSerializable root ? root.Serialize(system) : next.Message);
        var payloadBytes = payload.Size;
        if (payloadBytes > maxMessageBytes)
            throw new MessageTooLargeException(payload.TypeName, payloadBytes, maxMessageBytes);

        var typeId = (uint)IdOf(_typeIds, payload.TypeName);
        var target = (uint)IdOf(_targetIds, WithoutPrefix(next.Target.Id));
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

    static int IdOf(Dictionary<string, int> ids, string name)
    {
        if (ids.TryGetValue(name, out var id)) return id;
        id = ids.Count;
        ids.Add(name, id);
        return id;
    }

    /// <summary>1-based. A PID made before the system had an address is one of its own too.</summary>
    uint SenderId(PID sender)
    {
        var key = (string.Equals(sender.Address, ownAddress, StringComparison.Ordinal)
            || string.Equals(sender.Address, ActorSystem.NoHost, StringComparison.Ordinal) ? "" : sender.Address, sender.Id);
        if (_senderIds.TryGetValue(key, out var id)) return (uint)id;
        id = _senderIds.Count + 1;
        _senderIds.Add(key, id);
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
        _tables.Clear();
        _senders.Clear();
        // A Dictionary that only grew enumerates in the order of insertion, which is the order of the ids.
        foreach (var typeName in _typeIds.Keys) _tables.StringElement(TypeNames, typeName);
        foreach (var target in _targetIds.Keys) _tables.StringElement(Targets, target);
        foreach (var (address, id) in _senderIds.Keys)
        {
            _senders.Append(1)[0] = Senders;
            _senders.Varint((uint)(WireWriter.StringFieldSize(address) + WireWriter.StringFieldSize(id)));
            _senders.StringField(PidAddress, address);
            _senders.StringField(PidId, id);
        }

        var batch = _tables.Length + _envelopes.Length + _senders.Length;
        var message = 1 + WireWriter.VarintSize((uint)batch) + batch;
        GrpcFrame.WritePrefix(output.Append(GrpcFrame.PrefixLength), message);
        output.Append(1)[0] = MessageBatch;
        output.Varint((uint)batch);
        output.Write(_tables.Written);
        output.Write(_envelopes.Written);
        output.Write(_senders.Written);
    }
}
