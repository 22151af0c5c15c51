using System.Globalization;

namespace ActorCluster.Benchmarks.Reports;

/// <summary>The result of one run, for the console and for Markdown.</summary>
static class ClusterReport
{
    public static Report Of(BenchmarkResult result) => new([.. Preface(result)], ReportTable.Columns, new ReportTable(result).Rows);

    static IEnumerable<string> Preface(BenchmarkResult result)
    {
        var s = result.Settings;
        yield return $"{result.Conditions.Text}, {result.FileSystem}";
        yield return string.Create(
            CultureInfo.InvariantCulture,
            $"three processes each on this machine over loopback, fsync on, {Load.Workload.ValueBytes}-byte values, {s.Keys} keys, {s.Partitions} partitions (etcd has one), connections spread evenly over the processes, {s.Duration.TotalSeconds:0} s per number after {s.WarmUp.TotalSeconds:0} s of warm-up, {s.Rounds} fail-over rounds");
        if (result.EtcdVersion is { } version) yield return $"etcd {version}, default settings, through its JSON gateway";
        yield return string.Create(
            CultureInfo.InvariantCulture,
            $"limits of the machine in this run: {result.SyncsPerSecond:N0} syncs/s of a 4 KiB append; requests/s of an empty Kestrel endpoint: {string.Join(", ", result.EmptyEndpoint.Select(r => string.Create(CultureInfo.InvariantCulture, $"{r.PerSecond:N0} ({r.Connections} connections)")))}");
    }
}
