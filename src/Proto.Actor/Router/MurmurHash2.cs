using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Proto.Router;

/// <summary>MurmurHash2 (Austin Appleby), 32 bits, with the seed that Proto.Actor uses. The same on every machine.</summary>
public static class MurmurHash2
{
    private const uint Seed = 0xc58f1a7a;
    private const uint M = 0x5bd1e995;
    private const int R = 24;
    private const int MaxStackBytes = 256;

    /// <summary>Of the text's UTF-8 form.</summary>
    public static uint Hash(string text)
    {
        var most = Encoding.UTF8.GetMaxByteCount(text.Length);
        if (most <= MaxStackBytes)
        {
            Span<byte> bytes = stackalloc byte[MaxStackBytes];
            return Hash(bytes[..Encoding.UTF8.GetBytes(text, bytes)]);
        }

        var rented = ArrayPool<byte>.Shared.Rent(most);
        var hash = Hash(rented.AsSpan(0, Encoding.UTF8.GetBytes(text, rented)));
        ArrayPool<byte>.Shared.Return(rented);
        return hash;
    }

    public static uint Hash(ReadOnlySpan<byte> data)
    {
        var hash = Seed ^ (uint)data.Length;
        for (; data.Length >= 4; data = data[4..])
        {
            var block = BinaryPrimitives.ReadUInt32LittleEndian(data) * M;
            block = (block ^ block >> R) * M;
            hash = hash * M ^ block;
        }

        if (data.Length > 2) hash ^= (uint)data[2] << 16;
        if (data.Length > 1) hash ^= (uint)data[1] << 8;
        if (data.Length > 0) hash = (hash ^ data[0]) * M;
        hash = (hash ^ hash >> 13) * M;
        return hash ^ hash >> 15;
    }
}
