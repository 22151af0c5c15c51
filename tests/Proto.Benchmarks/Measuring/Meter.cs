using System.Diagnostics;

namespace Proto.Benchmarks.Measuring;

/// <summary>What one round gave.</summary>
/// <param name="PerSecond">Operations per second.</param>
/// <param name="BytesEach">Bytes allocated per operation, by all processes that take part.</param>
/// <param name="CpuNanosEach">Processor time per operation of all processes that take part: it hardly depends on what else the machine does.</param>
readonly record struct Round(double PerSecond, double BytesEach, double CpuNanosEach);

/// <summary>Times rounds of a length that is found by trying: long enough to mean something, short enough to take turns with another.</summary>
sealed class Meter(IScenario scenario)
{
    const int FirstTry = 64;
    const int TriesWithoutGain = 4;
    const double Gain = 1.05;
    static readonly TimeSpan LongestWarmUp = TimeSpan.FromSeconds(5);

    int _operations;

    /// <summary>Runs until it becomes no quicker (compilation in the background is over), and finds how many operations fill the given time.</summary>
    public async Task WarmUpAsync(TimeSpan roundTime)
    {
        var warm = Stopwatch.StartNew();
        var best = 0.0;
        var withoutGain = 0;
        _operations = FirstTry;
        while (true)
        {
            var perSecond = _operations / (await TimeAsync(_operations)).TotalSeconds;
            withoutGain = perSecond > best * Gain ? 0 : withoutGain + 1;
            best = Math.Max(best, perSecond);
            var full = Math.Clamp(best * roundTime.TotalSeconds, 1, scenario.MaxOperations);
            var isFull = _operations >= full / 2;
            // At most eightfold: the first tries are slow, or too short to tell.
            _operations = (int)Math.Min(full, _operations * 8.0);
            if (isFull && (withoutGain >= TriesWithoutGain || warm.Elapsed >= LongestWarmUp)) return;
        }
    }

    public async Task<Round> RunAsync()
    {
        // A round pays for its own garbage only.
        GC.Collect();
        var before = await UsageAsync();
        var elapsed = await TimeAsync(_operations);
        var used = await UsageAsync() - before;
        return new Round(_operations / elapsed.TotalSeconds, (double)used.AllocatedBytes / _operations, used.ProcessorTime.TotalNanoseconds / _operations);
    }

    async Task<TimeSpan> TimeAsync(int operations)
    {
        var begin = Stopwatch.GetTimestamp();
        await scenario.RunAsync(operations);
        return Stopwatch.GetElapsedTime(begin);
    }

    async Task<Usage> UsageAsync() => await scenario.UsageElsewhereAsync() + Usage.OfThisProcess();
}
