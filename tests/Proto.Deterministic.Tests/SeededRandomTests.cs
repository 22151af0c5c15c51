namespace Proto.Deterministic.Tests;

public class SeededRandomTests
{
    /// <summary>Computed by an independent implementation of SplitMix64 and xoshiro256**: seeds of old failures must keep their meaning.</summary>
    [Fact]
    public void The_numbers_of_a_seed_never_change()
    {
        var random = new SeededRandom(42);

        Assert.Equal([1546998764402558742, 6990951692964543102, 12544586762248559009, 17057574109182124193], new[] { random.NextUInt64(), random.NextUInt64(), random.NextUInt64(), random.NextUInt64() });
    }

    [Fact]
    public void Numbers_stay_within_their_limits_and_reach_all_of_them()
    {
        var random = new SeededRandom(7);
        var seen = new HashSet<int>();
        for (var draw = 0; draw < 1000; draw++) seen.Add(random.Next(3, 10));

        Assert.Equal(Enumerable.Range(3, 7), seen.Order());
    }
}
