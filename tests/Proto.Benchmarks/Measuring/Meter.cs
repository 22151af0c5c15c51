using System.Diagnostics;

namespace Proto.Benchmarks.Measuring;

/// <summary>What one round gave.</summary>
/// <param name="PerSecond">Operations per second.</param>
/// <param name="BytesEach">Bytes allocated per operation, by all processes that take part.</param>
readonly record struct Round(double PerSecond, double BytesEach);

/// <summary>Times rounds of a length that is found by trying: long enough to mean something, short enough to take turns with another.</summary>
sealed class Meter(IScenario scenario)
{
    const int FirstTry = 64;

    int _operations;

    /// <summary>Runs until compiled and warm, and finds how many operations fill the given time.</summary>
    public async Task WarmUpAsync(TimeSpan roundTime)
    {
        var warm = Stopwatch.StartNew();
        var operations = FirstTry;
        while (true)
        {
            var elapsed = await TimeAsync(operations);
            var isLong = elapsed >= roundTime / 2 || operations == scenario.MaxOperations;
            if (isLong && warm.Elapsed >= roundTime)
            {
                _operations = (int)Math.Clamp(operations * (roundTime / elapsed), 1, scenario.MaxOperations);
                return;
            }

            if (!isLong) operations = (int)Math.Min(operations * Math.Clamp(roundTime / elapsed, 1.5, 8), scenario.MaxOperations);
        }
    }

    public async Task<Round> RunAsync()
    {
        // A round pays for its own garbage only.
        GC.Collect();
        var before = await AllocatedAsync();
        var elapsed = await TimeAsync(_operations);
        var allocated = await AllocatedAsync() - before;
        return new Round(_operations / elapsed.TotalSeconds, (double)allocated / _operations);
    }

    async Task<TimeSpan> TimeAsync(int operations)
    {
        var begin = Stopwatch.GetTimestamp();
        await scenario.RunAsync(operations);
        return Stopwatch.GetElapsedTime(begin);
    }

    async Task<long> AllocatedAsync() => await scenario.AllocatedElsewhereAsync() + GC.GetTotalAllocatedBytes(precise: true);
}
