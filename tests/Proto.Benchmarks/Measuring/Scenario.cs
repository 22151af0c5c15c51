namespace Proto.Benchmarks.Measuring;

/// <summary>Something that can be done many times, and is timed as a whole.</summary>
interface IScenario
{
    /// <summary>Completes when all of the operations have had their whole effect.</summary>
    Task RunAsync(int operations);

    /// <summary>What another process, which takes part, has used.</summary>
    Task<Usage> UsageElsewhereAsync() => Task.FromResult(default(Usage));

    /// <summary>Most operations that one round may have.</summary>
    int MaxOperations => int.MaxValue / 2;
}
