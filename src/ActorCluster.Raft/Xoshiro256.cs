using System.Numerics;

namespace ActorCluster.Raft;

/// <summary>
/// xoshiro256** 1.0 (Blackman and Vigna, 2018), seeded by SplitMix64. Our own because replay from a seed must not
/// depend on the algorithm behind <c>System.Random</c>, which may change between versions.
/// </summary>
public sealed class Xoshiro256 : IRandomSource
{
    ulong _s0, _s1, _s2, _s3;

    public Xoshiro256(ulong seed)
    {
        _s0 = SplitMix(ref seed);
        _s1 = SplitMix(ref seed);
        _s2 = SplitMix(ref seed);
        _s3 = SplitMix(ref seed);
    }

    public ulong NextUInt64()
    {
        var result = BitOperations.RotateLeft(_s1 * 5, 7) * 9;
        var t = _s1 << 17;
        _s2 ^= _s0;
        _s3 ^= _s1;
        _s1 ^= _s2;
        _s0 ^= _s3;
        _s2 ^= t;
        _s3 = BitOperations.RotateLeft(_s3, 45);
        return result;
    }

    /// <summary>An independent generator for one concern, so that a draw added in one place does not shift all others.</summary>
    public Xoshiro256 Split(ulong concern)
    {
        var seed = NextUInt64() ^ (concern * 0x9e3779b97f4a7c15);
        return new Xoshiro256(seed);
    }

    static ulong SplitMix(ref ulong state)
    {
        var z = state += 0x9e3779b97f4a7c15;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
        z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
        return z ^ (z >> 31);
    }
}
