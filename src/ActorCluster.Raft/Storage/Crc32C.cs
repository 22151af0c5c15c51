using System.Buffers.Binary;
using System.Numerics;

namespace ActorCluster.Raft.Storage;

/// <summary>CRC-32C (Castagnoli, RFC 3720 appendix B.4) by the processor's instruction where it has one.</summary>
public static class Crc32C
{
    public static uint Of(ReadOnlySpan<byte> bytes) => ~Continue(uint.MaxValue, bytes);

    /// <summary>Goes on from a running value, which starts at all ones and is inverted at the end.</summary>
    public static uint Continue(uint running, ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length >= sizeof(ulong))
        {
            running = BitOperations.Crc32C(running, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            bytes = bytes[sizeof(ulong)..];
        }
        foreach (var b in bytes) running = BitOperations.Crc32C(running, b);
        return running;
    }
}
