using System.Buffers.Binary;
using System.Numerics;

namespace ActorCluster.Keyspace;

/// <summary>
/// A stable 64-bit hash of what a request asks for, by which a repeat under (session, sequence) is told from another
/// request under the same number. It guards against a client's mistake, not against an attacker. Eight bytes a step
/// (multiply and rotate, in the manner of MurmurHash3), each part's length included.
/// </summary>
public struct RequestHash
{
    ulong _state;

    public RequestHash(byte operation) => _state = operation;

    public void Add(string text)
    {
        Step((ulong)text.Length);
        foreach (var c in text) Step(c);
    }

    public void Add(ReadOnlySpan<byte> bytes)
    {
        Step((ulong)bytes.Length);
        while (bytes.Length >= 8)
        {
            Step(BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            bytes = bytes[8..];
        }

        if (bytes.IsEmpty) return;
        Span<byte> last = stackalloc byte[8];
        last.Clear();
        bytes.CopyTo(last);
        Step(BinaryPrimitives.ReadUInt64LittleEndian(last));
    }

    /// <summary>The hash; never 0, which stands for "none given".</summary>
    public readonly ulong Value
    {
        get
        {
            var x = _state;
            x ^= x >> 33;
            x *= 0xff51afd7ed558ccd;
            x ^= x >> 33;
            x *= 0xc4ceb9fe1a85ec53;
            x ^= x >> 33;
            return x == 0 ? 1 : x;
        }
    }

    void Step(ulong word)
    {
        word *= 0x87c37b91114253d5;
        word = BitOperations.RotateLeft(word, 31);
        word *= 0x4cf5ad432745937f;
        _state = (BitOperations.RotateLeft(_state ^ word, 27) * 5) + 0x52dce729;
    }
}
