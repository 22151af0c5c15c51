using Google.Protobuf;

namespace Proto.Remote;

/// <summary>Turns messages into bytes and back, under an id that travels with them (<c>serializer_id</c>).</summary>
public interface ISerializer
{
    ByteString Serialize(object obj);

    object Deserialize(ByteString bytes, string typeName);

    string GetTypeName(object message);

    /// <summary>Asked once per type: the answer is remembered.</summary>
    bool CanSerialize(object obj);
}
