using Proto.Benchmarks.Measuring;

namespace Proto.Benchmarks.Reports;

/// <summary>What a row must reach.</summary>
/// <param name="Text">For the table.</param>
/// <param name="IsMet">Whether a result reaches it.</param>
sealed record Target(string Text, Func<Comparison, bool> IsMet)
{
    public static Target PerSecond(double least, string text) => new(text, result => result.Value >= least);

    public static Target Bytes(double most) => new($"≤ {most}", result => result.Value <= most);

    public static Target RatioAtLeast(double least, string text) => new(text, result => result.Ratio >= least);

    public static Target RatioAtMost(double most, string text) => new(text, result => result.Ratio <= most);
}
