using System.Globalization;
using ActorCluster.Benchmarks.Reports;

namespace Proto.Benchmarks.Reports;

/// <summary>The rows of one run, for the console and for Markdown.</summary>
static class EngineReport
{
    static readonly string[] Columns = ["measure", "here", "baseline", "it does", "ratio", "target", "met", "Proto.Actor 1.6", "bytes each", "CPU ns each"];

    public static Report Of(Conditions conditions, BenchmarkSettings settings, IEnumerable<Row> rows) => new(
        [
            conditions.Text,
            string.Create(
                CultureInfo.InvariantCulture,
                $"medians of {settings.Rounds} rounds of {settings.RoundTime.TotalSeconds:0.0#} s, each followed by a round of its baseline; \"ratio\" is the median of the rounds' ratios; remote and cluster rows use a second process on this machine over loopback"),
        ],
        Columns,
        [.. rows.Select(Cells)]);

    static string[] Cells(Row row)
    {
        var result = row.Result;
        return
        [
            row.What, Number(result.Value) + row.Unit, row.BaselineName, Number(result.Baseline) + row.Unit, result.Ratio.ToString("0.00", CultureInfo.InvariantCulture),
            row.Target?.Text ?? "", row.Target is null ? "" : row.Target.IsMet(result) ? "yes" : "no", row.ProtoActor16,
            result.BytesEach?.ToString("N0", CultureInfo.InvariantCulture) ?? "", result.CpuNanosEach?.ToString("N0", CultureInfo.InvariantCulture) ?? "",
        ];
    }

    static string Number(double value) => value switch
    {
        >= 1e6 => (value / 1e6).ToString("0.00", CultureInfo.InvariantCulture) + " M",
        >= 1e4 => (value / 1e3).ToString("N0", CultureInfo.InvariantCulture) + " k",
        >= 100 => value.ToString("N0", CultureInfo.InvariantCulture) + " ",
        _ => value.ToString("0.0", CultureInfo.InvariantCulture) + " ",
    };
}
