namespace Proto.Benchmarks.Measuring;

/// <summary>Something that can be done many times, and is timed as a whole.</summary>
interface IScenario
{
    /// <summary>Completes when all of the operations have had their whole effect.</summary>
    Task RunAsync(int operations);

    /// <summary>Bytes that other processes, which take part, have allocated so far.</summary>
    Task<long> AllocatedElsewhereAsync() => Task.FromResult(0L);

    /// <summary>Most operations that one round may have.</summary>
    int MaxOperations => int.MaxValue / 2;
}
