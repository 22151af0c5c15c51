using System.Globalization;
using System.Text;
using Spectre.Console;

namespace ActorCluster.Benchmarks.Reports;

static class ReportWriter
{
    public static void ToConsole(BenchmarkResult result, IAnsiConsole console)
    {
        foreach (var line in Preface(result)) console.WriteLine(line);
        var table = new Table().Border(TableBorder.Rounded);
        foreach (var column in ReportTable.Columns) table.AddColumn(new TableColumn(column) { NoWrap = true });
        for (var i = 1; i < ReportTable.Columns.Length; i++) table.Columns[i].RightAligned();
        foreach (var row in new ReportTable(result).Rows) table.AddRow(row.Select(Markup.Escape).ToArray());
        console.Write(table);
    }

    public static string ToMarkdown(BenchmarkResult result)
    {
        var text = new StringBuilder();
        foreach (var line in Preface(result)) text.Append("- ").Append(line).Append('\n');
        text.Append('\n').Append("| ").AppendJoin(" | ", ReportTable.Columns).Append(" |\n|---|---:|---:|---:|---:|\n");
        foreach (var row in new ReportTable(result).Rows) text.Append("| ").AppendJoin(" | ", row).Append(" |\n");
        return text.ToString();
    }

    static IEnumerable<string> Preface(BenchmarkResult result)
    {
        var c = result.Conditions;
        var s = result.Settings;
        yield return string.Create(CultureInfo.InvariantCulture, $"{c.At:yyyy-MM-dd HH:mm} UTC, commit {c.Commit}, {c.Cores} cores shared by client and servers, {c.Kernel}, {c.FileSystem}, {c.DotNet}");
        yield return string.Create(
            CultureInfo.InvariantCulture,
            $"three processes each on this machine over loopback, fsync on, {Load.Workload.ValueBytes}-byte values, {s.Keys} keys, {s.Partitions} partitions (etcd has one), connections spread evenly over the processes, {s.Duration.TotalSeconds:0} s per number after {s.WarmUp.TotalSeconds:0} s of warm-up, {s.Rounds} fail-over rounds");
        if (result.EtcdVersion is { } version) yield return $"etcd {version}, default settings, through its JSON gateway";
        yield return string.Create(
            CultureInfo.InvariantCulture,
            $"limits of the machine in this run: {result.SyncsPerSecond:N0} syncs/s of a 4 KiB append; requests/s of an empty Kestrel endpoint: {string.Join(", ", result.EmptyEndpoint.Select(r => string.Create(CultureInfo.InvariantCulture, $"{r.PerSecond:N0} ({r.Connections} connections)")))}");
    }
}
