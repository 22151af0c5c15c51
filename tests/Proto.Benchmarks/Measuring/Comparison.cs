using System.Diagnostics;

namespace Proto.Benchmarks.Measuring;

/// <summary>A number beside its baseline of the same run: medians of rounds that took turns, so that both saw the same machine.</summary>
/// <param name="Value">Operations per second, or what the row's unit says.</param>
/// <param name="Baseline">The same of the baseline.</param>
/// <param name="Ratio">Median of the rounds' ratios.</param>
/// <param name="BytesEach">Least bytes allocated per operation in a round; null when not measured.</param>
/// <param name="CpuNanosEach">Median processor time per operation; null when not measured.</param>
sealed record Comparison(double Value, double Baseline, double Ratio, double? BytesEach = null, double? CpuNanosEach = null)
{
    public static async Task<Comparison> OfRatesAsync(IScenario subject, IScenario baseline, BenchmarkSettings settings)
    {
        var (ours, theirs) = (new Meter(subject), new Meter(baseline));
        await ours.WarmUpAsync(settings.RoundTime);
        await theirs.WarmUpAsync(settings.RoundTime);
        var pairs = new List<(Round Ours, Round Theirs)>();
        for (var round = 0; round < settings.Rounds; round++) pairs.Add((await ours.RunAsync(), await theirs.RunAsync()));
        return Of([.. pairs.Select(pair => (pair.Ours.PerSecond, pair.Theirs.PerSecond))]) with
        {
            BytesEach = pairs.Min(pair => pair.Ours.BytesEach),
            CpuNanosEach = Median([.. pairs.Select(pair => pair.Ours.CpuNanosEach)]),
        };
    }

    /// <summary>Compares the median durations of single operations, in microseconds.</summary>
    public static async Task<Comparison> OfMedianMicrosAsync(Func<Task> subject, Func<Task> baseline, BenchmarkSettings settings)
    {
        await MedianMicrosAsync(subject, settings.RoundTime);
        await MedianMicrosAsync(baseline, settings.RoundTime);
        var pairs = new List<(double Ours, double Theirs)>();
        for (var round = 0; round < settings.Rounds; round++)
            pairs.Add((await MedianMicrosAsync(subject, settings.RoundTime), await MedianMicrosAsync(baseline, settings.RoundTime)));
        return Of(pairs);
    }

    static Comparison Of(List<(double Ours, double Theirs)> pairs) => new(
        Median([.. pairs.Select(pair => pair.Ours)]),
        Median([.. pairs.Select(pair => pair.Theirs)]),
        Median([.. pairs.Select(pair => pair.Ours / pair.Theirs)]));

    static Task<double> MedianMicrosAsync(Func<Task> operation, TimeSpan duration) => Task.Run(async () =>
    {
        var micros = new List<double>();
        var clock = Stopwatch.StartNew();
        while (clock.Elapsed < duration)
        {
            var begin = Stopwatch.GetTimestamp();
            await operation();
            micros.Add(Stopwatch.GetElapsedTime(begin).TotalMicroseconds);
        }

        return Median(micros);
    });

    static double Median(List<double> values)
    {
        values.Sort();
        var middle = values.Count / 2;
        return values.Count % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
    }
}
