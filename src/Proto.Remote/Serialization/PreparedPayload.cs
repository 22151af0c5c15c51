using Google.Protobuf;

namespace Proto.Remote;

/// <summary>A message whose size on the wire is known; protobuf messages are written in place, without a copy between.</summary>
readonly struct PreparedPayload
{
    readonly IMessage? _message;
    readonly ByteString? _bytes;

    public PreparedPayload(int serializerId, string typeName, IMessage message)
    {
        (SerializerId, TypeName, _message) = (serializerId, typeName, message);
        Size = message.CalculateSize();
    }

    public PreparedPayload(int serializerId, string typeName, ByteString bytes)
    {
        (SerializerId, TypeName, _bytes) = (serializerId, typeName, bytes);
        Size = bytes.Length;
    }

    public int SerializerId { get; }
    public string TypeName { get; }
    public int Size { get; }

    /// <param name="destination">Exactly <see cref="Size"/> bytes.</param>
    public void WriteTo(Span<byte> destination)
    {
        if (_message is not null) _message.WriteTo(destination);
        else _bytes!.Span.CopyTo(destination);
    }
}
