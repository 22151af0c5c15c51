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
    const int LeastTries = 8;

    int _operations;

    /// <summary>Runs until compiled and warm, and finds how many operations fill the given time when nothing disturbs them.</summary>
    public async Task WarmUpAsync(TimeSpan roundTime)
    {
        var warm = Stopwatch.StartNew();
        var best = 0.0;
        _operations = FirstTry;
        for (var tries = 1; ; tries++)
        {
            best = Math.Max(best, _operations / (await TimeAsync(_operations)).TotalSeconds);
            var full = Math.Clamp(best * roundTime.TotalSeconds, 1, scenario.MaxOperations);
            var isFull = _operations >= full / 2;
            // At most eightfold: the first tries are slow, or too short to tell.
            _operations = (int)Math.Min(full, _operations * 8.0);
            if (isFull && tries >= LeastTries && warm.Elapsed >= roundTime) return;
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
