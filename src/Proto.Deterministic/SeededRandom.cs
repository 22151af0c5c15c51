namespace Proto.Deterministic;

/// <summary>
/// xoshiro256** (Blackman, Vigna 2018), seeded through SplitMix64: the same numbers for the same seed in every version of .NET, which
/// <see cref="Random"/> does not promise. Not thread-safe.
/// </summary>
public sealed class SeededRandom
{
    ulong _s0, _s1, _s2, _s3;

    public SeededRandom(ulong seed)
    {
        _s0 = SplitMix(ref seed);
        _s1 = SplitMix(ref seed);
        _s2 = SplitMix(ref seed);
        _s3 = SplitMix(ref seed);
    }

    public ulong NextUInt64()
    {
        var result = ulong.RotateLeft(_s1 * 5, 7) * 9;
        var shifted = _s1 << 17;
        _s2 ^= _s0;
        _s3 ^= _s1;
        _s1 ^= _s2;
        _s0 ^= _s3;
        _s2 ^= shifted;
        _s3 = ulong.RotateLeft(_s3, 45);
        return result;
    }

    /// <summary>At least 0 and less than <paramref name="limit"/>; the bias of the multiplication is below 2⁻³².</summary>
    public int Next(int limit)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        return (int)((NextUInt64() >> 32) * (ulong)limit >> 32);
    }

    /// <summary>At least <paramref name="low"/> and less than <paramref name="high"/>.</summary>
    public int Next(int low, int high) => low + Next(high - low);

    /// <summary>At least 0 and less than 1.</summary>
    public double NextDouble() => (NextUInt64() >> 11) * (1.0 / (1UL << 53));

    /// <summary>True with this probability.</summary>
    public bool Chance(double probability) => NextDouble() < probability;

    public T Pick<T>(IReadOnlyList<T> choices) => choices[Next(choices.Count)];

    static ulong SplitMix(ref ulong state)
    {
        var mixed = state += 0x9E3779B97F4A7C15;
        mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9;
        mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB;
        return mixed ^ mixed >> 31;
    }
}
