using System.Buffers;
using System.Text;

namespace ActorCluster.Protocol;

/// <summary>
/// The hash that places keys and identities: the same on every node, in every process, for ever (golden-tested).
/// FNV-1a over the UTF-8 bytes, finished with the 64-bit mixer of MurmurHash3 (fmix64), because FNV alone leaves the
/// high bits, which choose the partition, badly mixed for short keys.
/// </summary>
public static class StableHash
{
    const ulong OffsetBasis = 14695981039346656037;
    const ulong Prime = 1099511628211;
    const int StackBytes = 256;

    /// <summary>Hash of a text by its UTF-8 bytes.</summary>
    public static ulong Of(string text)
    {
        var maxBytes = Encoding.UTF8.GetMaxByteCount(text.Length);
        if (maxBytes <= StackBytes)
        {
            Span<byte> small = stackalloc byte[StackBytes];
            return Of(small[..Encoding.UTF8.GetBytes(text, small)]);
        }

        var rented = ArrayPool<byte>.Shared.Rent(maxBytes);
        try
        {
            return Of(rented.AsSpan(0, Encoding.UTF8.GetBytes(text, rented)));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    /// <summary>Hash of bytes.</summary>
    public static ulong Of(ReadOnlySpan<byte> bytes)
    {
        var hash = OffsetBasis;
        foreach (var b in bytes) hash = (hash ^ b) * Prime;
        return Mix(hash);
    }

    static ulong Mix(ulong x)
    {
        x ^= x >> 33;
        x *= 0xff51afd7ed558ccd;
        x ^= x >> 33;
        x *= 0xc4ceb9fe1a85ec53;
        return x ^ (x >> 33);
    }
}
