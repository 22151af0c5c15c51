namespace ActorCluster.Raft;

/// <summary>Where a core draws chance from. Given by the shell: seeded in simulation, seeded from the system in a node.</summary>
public interface IRandomSource
{
    /// <summary>64 evenly distributed bits.</summary>
    ulong NextUInt64();
}

/// <summary>Draws made from <see cref="IRandomSource.NextUInt64"/>.</summary>
public static class RandomSourceExtensions
{
    /// <summary>Evenly distributed in [0, exclusiveMax), by multiply-shift (bias below 2⁻³², irrelevant here).</summary>
    public static int Next(this IRandomSource random, int exclusiveMax)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(exclusiveMax);
        return (int)(((random.NextUInt64() >> 32) * (ulong)exclusiveMax) >> 32);
    }

    /// <summary>Evenly distributed in [min, exclusiveMax).</summary>
    public static int Next(this IRandomSource random, int min, int exclusiveMax) => min + random.Next(exclusiveMax - min);

    /// <summary>True with the given probability.</summary>
    public static bool Chance(this IRandomSource random, double probability) =>
        (random.NextUInt64() >> 11) * (1.0 / (1UL << 53)) < probability;
}
