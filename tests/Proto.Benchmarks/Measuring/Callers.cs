namespace Proto.Benchmarks.Measuring;

/// <summary>A closed loop of callers: each begins its next operation when its last one is done. The operation is told which caller it is for.</summary>
sealed class Callers(int count, Func<int, Task> operation, Func<Task<Usage>>? usageElsewhere = null) : IScenario
{
    public int MaxOperations { get; init; } = int.MaxValue / 2;

    public Task RunAsync(int operations) =>
        Task.WhenAll(Enumerable.Range(0, count).Select(caller => Task.Run(async () =>
        {
            for (var i = caller; i < operations; i += count) await operation(caller);
        })));

    public Task<Usage> UsageElsewhereAsync() => usageElsewhere?.Invoke() ?? Task.FromResult(default(Usage));
}
