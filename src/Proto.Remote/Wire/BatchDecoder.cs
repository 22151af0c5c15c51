using System.Collections.Immutable;

namespace Proto.Remote.Wire;

/// <summary>Takes the envelopes of a batch, in the order in which they were sent.</summary>
interface IEnvelopeSink
{
    /// <summary>A new batch begins: indexes of types and targets start again.</summary>
    void BeginBatch(int types, int targets);

    void Deliver(in IncomingEnvelope envelope);
}

/// <summary>
/// Reads a <c>MessageBatch</c> without building its generated classes. The tables are read first, wherever they stand: other
/// implementations write the senders behind the envelopes. Not thread-safe: one per stream.
/// </summary>
sealed class BatchDecoder
{
    readonly List<string> _typeNames = [];
    readonly List<string> _targets = [];
    readonly List<PID> _senders = [];

    /// <param name="batch">The message_batch field's content.</param>
    /// <param name="peerAddress">Stands for the empty address of a sender: the sending system.</param>
    /// <param name="peerIdPrefix">Goes before the id of such a sender.</param>
    /// <param name="sink">Gets the envelopes.</param>
    /// <exception cref="Transport.GrpcException">The batch is malformed. Envelopes before the malformed one may have been delivered.</exception>
    public void Decode(ReadOnlySpan<byte> batch, string peerAddress, string peerIdPrefix, IEnvelopeSink sink)
    {
        ReadTables(batch, peerAddress, peerIdPrefix);
        sink.BeginBatch(_typeNames.Count, _targets.Count);
        var reader = new WireReader(batch);
        while (reader.TryReadTag(out var field, out var wireType))
        {
            if (field == 3 && wireType == WireReader.BytesType) DecodeEnvelope(reader.ReadBytes(), sink);
            else reader.Skip(wireType);
        }
    }

    void ReadTables(ReadOnlySpan<byte> batch, string peerAddress, string peerIdPrefix)
    {
        _typeNames.Clear();
        _targets.Clear();
        _senders.Clear();
        var reader = new WireReader(batch);
        while (reader.TryReadTag(out var field, out var wireType))
        {
            switch (field, wireType)
            {
                case (1, WireReader.BytesType): _typeNames.Add(reader.ReadString()); break;
                case (2, WireReader.BytesType): _targets.Add(reader.ReadString()); break;
                case (4, WireReader.BytesType): _senders.Add(ReadPid(reader.ReadBytes(), peerAddress, peerIdPrefix)); break;
                default: reader.Skip(wireType); break;
            }
        }
    }

    static PID ReadPid(ReadOnlySpan<byte> data, string peerAddress, string peerIdPrefix)
    {
        string address = "", id = "";
        var reader = new WireReader(data);
        while (reader.TryReadTag(out var field, out var wireType))
        {
            switch (field, wireType)
            {
                case (1, WireReader.BytesType): address = reader.ReadString(); break;
                case (2, WireReader.BytesType): id = reader.ReadString(); break;
                default: reader.Skip(wireType); break;
            }
        }

        return address.Length == 0 ? new PID(peerAddress, peerIdPrefix + id) : new PID(address, id);
    }

    void DecodeEnvelope(ReadOnlySpan<byte> data, IEnvelopeSink sink)
    {
        ulong typeId = 0, target = 0, sender = 0, serializerId = 0, targetRequestId = 0, senderRequestId = 0;
        ReadOnlySpan<byte> payload = default;
        Proto.MessageHeader? header = null;
        var reader = new WireReader(data);
        while (reader.TryReadTag(out var field, out var wireType))
        {
            switch (field, wireType)
            {
                case (1, WireReader.VarintType): typeId = reader.ReadVarint(); break;
                case (2, WireReader.BytesType): payload = reader.ReadBytes(); break;
                case (3, WireReader.VarintType): target = reader.ReadVarint(); break;
                case (4, WireReader.VarintType): sender = reader.ReadVarint(); break;
                case (5, WireReader.VarintType): serializerId = reader.ReadVarint(); break;
                case (6, WireReader.BytesType): header = ReadHeader(reader.ReadBytes()); break;
                case (7, WireReader.VarintType): targetRequestId = reader.ReadVarint(); break;
                case (8, WireReader.VarintType): senderRequestId = reader.ReadVarint(); break;
                default: reader.Skip(wireType); break;
            }
        }

        if (typeId >= (ulong)_typeNames.Count) throw WireReader.Malformed($"type {typeId} of {_typeNames.Count}");
        if (target >= (ulong)_targets.Count) throw WireReader.Malformed($"target {target} of {_targets.Count}");
        if (sender > (ulong)_senders.Count) throw WireReader.Malformed($"sender {sender} of {_senders.Count}");
        sink.Deliver(new IncomingEnvelope
        {
            TypeIndex = (int)typeId,
            TypeName = _typeNames[(int)typeId],
            SerializerId = (int)serializerId,
            Payload = payload,
            TargetIndex = (int)target,
            TargetId = _targets[(int)target],
            TargetRequestId = (uint)targetRequestId,
            Sender = sender == 0 ? null : _senders[(int)sender - 1],
            SenderRequestId = (uint)senderRequestId,
            Header = header,
        });
    }

    static Proto.MessageHeader ReadHeader(ReadOnlySpan<byte> data)
    {
        var entries = ImmutableDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        var reader = new WireReader(data);
        while (reader.TryReadTag(out var field, out var wireType))
        {
            if (field == 1 && wireType == WireReader.BytesType) ReadHeaderEntry(reader.ReadBytes(), entries);
            else reader.Skip(wireType);
        }

        return new Proto.MessageHeader(entries.ToImmutable());
    }

    static void ReadHeaderEntry(ReadOnlySpan<byte> data, ImmutableDictionary<string, string>.Builder entries)
    {
        string key = "", value = "";
        var reader = new WireReader(data);
        while (reader.TryReadTag(out var field, out var wireType))
        {
            switch (field, wireType)
            {
                case (1, WireReader.BytesType): key = reader.ReadString(); break;
                case (2, WireReader.BytesType): value = reader.ReadString(); break;
                default: reader.Skip(wireType); break;
            }
        }

        entries[key] = value;
    }
}
