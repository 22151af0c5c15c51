using System.Collections.Concurrent;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Proto.Remote;

/// <summary>
/// The serializers of a system. The sender takes the one with the highest priority that can serialise the message, the receiver
/// the one that the envelope names. Built in: <see cref="ProtobufSerializer"/> (id 0, priority 0) and <see cref="JsonSerializer"/>
/// (id 1, priority -1000).
/// </summary>
public class Serialization
{
    public const int SERIALIZER_ID_PROTOBUF = 0;
    public const int SERIALIZER_ID_JSON = 1;

    readonly record struct Entry(int Id, int Priority, ISerializer Serializer);
    sealed record TypeEntry(int SerializerId, ISerializer Serializer, string? ProtobufName);

    readonly Lock _gate = new();
    readonly ConcurrentDictionary<Type, TypeEntry> _byType = [];
    readonly ProtobufSerializer _protobuf = new();
    readonly JsonSerializer _json = new();
    readonly SizeEstimates _sizes = new();
    volatile Entry[] _byPriority = [];

    public Serialization()
    {
        RegisterSerializer(SERIALIZER_ID_PROTOBUF, 0, _protobuf);
        RegisterSerializer(SERIALIZER_ID_JSON, -1000, _json);
        RegisterFileDescriptor(Proto.ProtosReflection.Descriptor);
        RegisterFileDescriptor(ProtosReflection.Descriptor);
    }

    public System.Text.Json.JsonSerializerOptions? JsonSerializerOptions
    {
        get => _json.Options;
        set => _json.Options = value;
    }

    /// <summary>Adds a serializer, or replaces the one with the same id.</summary>
    public void RegisterSerializer(int serializerId, int priority, ISerializer serializer)
    {
        lock (_gate)
        {
            _byPriority =
            [
                .. _byPriority.Where(entry => entry.Id != serializerId).Append(new Entry(serializerId, priority, serializer))
                    .OrderByDescending(entry => entry.Priority),
            ];
            _byType.Clear();
        }
    }

    public void RegisterFileDescriptor(FileDescriptor fd)
    {
        lock (_gate)
        {
            _protobuf.Register(fd);
            _byType.Clear();
        }
    }

    /// <summary>Lets a plain class or record travel as JSON.</summary>
    public void RegisterJsonType(Type type)
    {
        lock (_gate)
        {
            _json.Register(type);
            _byType.Clear();
        }
    }

    /// <exception cref="UnknownMessageTypeException">No serializer takes this type.</exception>
    public (ByteString bytes, string typename, int serializerId) Serialize(object message)
    {
        var entry = EntryOf(message);
        return (entry.Serializer.Serialize(message), entry.ProtobufName ?? entry.Serializer.GetTypeName(message), entry.SerializerId);
    }

    /// <exception cref="UnknownMessageTypeException">No serializer has this id, or it does not know the type.</exception>
    public object Deserialize(string typeName, ByteString bytes, int serializerId) => ById(serializerId).Deserialize(bytes, typeName);

    internal PreparedPayload Prepare(object message)
    {
        var entry = EntryOf(message);
        return entry.ProtobufName is { } name
            ? new PreparedPayload(entry.SerializerId, name, (IMessage)message)
            : new PreparedPayload(entry.SerializerId, entry.Serializer.GetTypeName(message), entry.Serializer.Serialize(message));
    }

    /// <summary>
    /// About how many bytes the message takes on the wire, without serialising it: exact for protobuf messages, otherwise the size that messages of
    /// its type had lately. The first one of a type is serialised to learn it. 0 when it cannot be serialised: that is found when it is sent.
    /// </summary>
    internal int EstimateBytes(ActorSystem system, object message)
    {
        try
        {
            if (message is IMessage protobuf) return protobuf.CalculateSize();
            if (_sizes.Of(message.GetType()) is { } known) return known;
            var bytes = Prepare(message is IRootSerializable root ? root.Serialize(system) : message).Size;
            Measured(message.GetType(), bytes);
            return bytes;
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            return 0;
        }
    }

    internal void Measured(Type type, int bytes) => _sizes.Measured(type, bytes);

    internal object Deserialize(string typeName, ReadOnlySpan<byte> bytes, int serializerId)
    {
        var serializer = ById(serializerId);
        return serializer == _protobuf
            ? _protobuf.ParserOf(typeName).ParseFrom(bytes)
            : serializer.Deserialize(ByteString.CopyFrom(bytes), typeName);
    }

    /// <summary>The parser of a protobuf type, for receivers that remember it; null when another serializer stands under id 0.</summary>
    internal MessageParser? ProtobufParserOf(string typeName, int serializerId) =>
        serializerId == SERIALIZER_ID_PROTOBUF && ById(serializerId) == _protobuf ? _protobuf.ParserOf(typeName) : null;

    ISerializer ById(int serializerId)
    {
        foreach (var entry in _byPriority)
        {
            if (entry.Id == serializerId) return entry.Serializer;
        }

        throw new UnknownMessageTypeException($"no serializer has the id {serializerId}: add it with WithSerializer");
    }

    TypeEntry EntryOf(object message)
    {
        var type = message.GetType();
        return _byType.TryGetValue(type, out var known) ? known : Find(type, message);
    }

    TypeEntry Find(Type type, object message)
    {
        lock (_gate)
        {
            foreach (var (id, _, serializer) in _byPriority)
            {
                if (!serializer.CanSerialize(message)) continue;
                var found = new TypeEntry(id, serializer, serializer == _protobuf ? _protobuf.GetTypeName(message) : null);
                _byType[type] = found;
                return found;
            }
        }

        throw new UnknownMessageTypeException(message is IMessage
            ? $"the protobuf type '{type}' is not registered: add its file with WithProtoMessages"
            : $"no serializer takes the type '{type}': make it a protobuf message, add it with WithJsonTypes, or add a serializer with WithSerializer");
    }
}
