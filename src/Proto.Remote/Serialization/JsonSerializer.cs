using System.Collections.Concurrent;
using System.Text.Json;
using Google.Protobuf;

namespace Proto.Remote;

/// <summary>
/// Serializer 1: System.Text.Json for types that were registered by <see cref="Register"/>; the type name is the assembly-qualified name.
/// A name that is not registered is refused: the wire never decides which classes are loaded.
/// </summary>
public sealed class JsonSerializer : ISerializer
{
    readonly ConcurrentDictionary<string, Type> _types = new(StringComparer.Ordinal);

    public JsonSerializerOptions? Options { get; set; }

    public void Register(Type type)
    {
        _types[NameOf(type)] = type;
        // Senders built against another version of the assembly name it with that version: full name and assembly decide.
        _types[ShortNameOf(NameOf(type))] = type;
    }

    public ByteString Serialize(object obj) =>
        UnsafeByteOperations.UnsafeWrap(System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(obj, obj.GetType(), Options));

    public object Deserialize(ByteString bytes, string typeName) =>
        System.Text.Json.JsonSerializer.Deserialize(bytes.Span, TypeOf(typeName), Options)
        ?? throw new JsonException($"'{typeName}' arrived as null");

    public string GetTypeName(object message) => NameOf(message.GetType());

    public bool CanSerialize(object obj) => _types.ContainsKey(NameOf(obj.GetType()));

    Type TypeOf(string typeName) =>
        _types.TryGetValue(typeName, out var type) || _types.TryGetValue(ShortNameOf(typeName), out type)
            ? type
            : throw new UnknownMessageTypeException($"the JSON type '{typeName}' is not registered here: add it with WithJsonTypes");

    static string NameOf(Type type) => type.AssemblyQualifiedName ?? type.FullName ?? type.Name;

    static string ShortNameOf(string assemblyQualifiedName)
    {
        var version = assemblyQualifiedName.IndexOf(", Version=", StringComparison.Ordinal);
        return version < 0 ? assemblyQualifiedName : assemblyQualifiedName[..version];
    }
}
