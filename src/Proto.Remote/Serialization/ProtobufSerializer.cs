using System.Collections.Concurrent;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Proto.Remote;

/// <summary>Serializer 0: protobuf messages whose file descriptor is registered; the type name is the protobuf full name.</summary>
public sealed class ProtobufSerializer : ISerializer
{
    readonly ConcurrentDictionary<string, MessageParser> _parsers = new(StringComparer.Ordinal);

    /// <summary>Registers every message of a file, the nested ones too.</summary>
    public void Register(FileDescriptor file)
    {
        foreach (var type in file.MessageTypes) Register(type);
    }

    public ByteString Serialize(object obj) => ((IMessage)obj).ToByteString();

    public object Deserialize(ByteString bytes, string typeName) => ParserOf(typeName).ParseFrom(bytes);

    public string GetTypeName(object message) => ((IMessage)message).Descriptor.FullName;

    public bool CanSerialize(object obj) => obj is IMessage message && _parsers.ContainsKey(message.Descriptor.FullName);

    internal MessageParser ParserOf(string typeName) => _parsers.TryGetValue(typeName, out var parser)
        ? parser
        : throw new UnknownMessageTypeException($"the protobuf type '{typeName}' is not registered here: add its file with WithProtoMessages");

    void Register(MessageDescriptor type)
    {
        // Map entries have no class of their own.
        if (type.Parser is { } parser) _parsers[type.FullName] = parser;
        foreach (var nested in type.NestedTypes) Register(nested);
    }
}
