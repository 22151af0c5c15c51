using ActorCluster.Protocol;
using Google.Protobuf;

namespace ActorCluster.Membership;

/// <summary>The wire form of messages that have no maps: equal content gives equal bytes, on every node.</summary>
static class WireBytes
{
    public static byte[] Of(IMessage message) => message.ToByteArray();

    /// <summary>Hash of a message and of the hash before it, so that a sequence has one.</summary>
    public static ulong Chain(ulong hash, IMessage message)
    {
        var size = message.CalculateSize();
        var bytes = new byte[size + sizeof(ulong)];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64LittleEndian(bytes, hash);
        message.WriteTo(bytes.AsSpan(sizeof(ulong)));
        return StableHash.Of(bytes);
    }
}
