namespace Proto.Cluster.Seed;

/// <summary>No seed node took this system in: nothing was joined.</summary>
public sealed class SeedJoinException(IReadOnlyDictionary<string, string> problemByAddress, TimeSpan tried)
    : Exception($"no seed node answered within {tried}: {string.Join("; ", problemByAddress.Select(problem => $"{problem.Key}: {problem.Value}"))}")
{
    /// <summary>What the last try with each seed node ended with.</summary>
    public IReadOnlyDictionary<string, string> ProblemByAddress { get; } = problemByAddress;
}
