using System.Globalization;
using ActorCluster.Benchmarks.Load;

namespace ActorCluster.Benchmarks.Reports;

/// <summary>The result as rows, for the console and for Markdown.</summary>
sealed class ReportTable
{
    public static readonly string[] Columns = ["measure", "connections", "ActorCluster", "etcd", "ours / etcd"];

    readonly List<string[]> _rows = [];

    public ReportTable(BenchmarkResult result)
    {
        var (ours, etcd) = (result.Ours, result.Etcd);
        AddLoad("writes/s", ours?.Writes, etcd?.Writes, r => r.PerSecond, "N0");
        AddLoad("write p50, ms", ours?.Writes, etcd?.Writes, r => r.P50Ms, "N2");
        AddLoad("write p99, ms", ours?.Writes, etcd?.Writes, r => r.P99Ms, "N2");
        AddLoad("CPU of the servers per write, µs", ours?.Writes, etcd?.Writes, r => r.CpuMicros, "N0");
        AddLoad("linearizable reads/s", ours?.Reads, etcd?.Reads, r => r.PerSecond, "N0");
        AddLoad("read p50, ms", ours?.Reads, etcd?.Reads, r => r.P50Ms, "N2");
        AddLoad("read p99, ms", ours?.Reads, etcd?.Reads, r => r.P99Ms, "N2");
        AddLoad("CPU of the servers per read, µs", ours?.Reads, etcd?.Reads, r => r.CpuMicros, "N0");
        Add("fail-over median, ms", "", ours?.Failover?.Median, etcd?.Failover?.Median, "N0");
        Add("fail-over worst, ms", "", ours?.Failover?.Worst, etcd?.Failover?.Worst, "N0");
        Add("CPU of an idle process, ms per second", "", ours?.IdleCpuMs, etcd?.IdleCpuMs, "N1");
        Add("resident per node, empty, MiB (largest)", "", MiB(ours?.ResidentEmpty), MiB(etcd?.ResidentEmpty), "N0");
        Add("resident per node, after the load, MiB (largest)", "", MiB(ours?.ResidentLoaded), MiB(etcd?.ResidentLoaded), "N0");
        var errors = (ours?.Writes.Concat(ours.Reads).Sum(r => r.Errors), etcd?.Writes.Concat(etcd.Reads).Sum(r => r.Errors));
        Add("failed requests", "", errors.Item1, errors.Item2, "N0");
    }

    public IReadOnlyList<string[]> Rows => _rows;

    void AddLoad(string measure, IReadOnlyList<LoadResult>? ours, IReadOnlyList<LoadResult>? etcd, Func<LoadResult, double> value, string format)
    {
        foreach (var connections in (ours ?? etcd ?? []).Select(r => r.Connections))
        {
            Add(
                measure, connections.ToString(CultureInfo.InvariantCulture),
                Find(ours), Find(etcd), format);

            double? Find(IReadOnlyList<LoadResult>? results) => results?.Where(r => r.Connections == connections).Select(r => (double?)value(r)).FirstOrDefault();
        }
    }

    void Add(string measure, string connections, double? ours, double? etcd, string format) => _rows.Add(
    [
        measure, connections, Text(ours, format), Text(etcd, format),
        ours is { } o && etcd is { } e && e != 0 ? (o / e).ToString("N2", CultureInfo.InvariantCulture) : "",
    ]);

    static string Text(double? value, string format) => value?.ToString(format, CultureInfo.InvariantCulture) ?? "-";

    static double? MiB(IReadOnlyList<long>? bytes) => bytes?.Max() / (1024.0 * 1024.0);
}
