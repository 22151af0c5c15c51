using System.CommandLine;
using System.Globalization;
using ActorCluster.Benchmarks;
using ActorCluster.Benchmarks.Limits;
using ActorCluster.Benchmarks.Reports;
using Spectre.Console;

// .../tests/ActorCluster.Benchmarks/bin/{configuration}/{framework}/
var here = new DirectoryInfo(AppContext.BaseDirectory);
var root = here.Parent!.Parent!.Parent!.Parent!.Parent!.FullName;
var nodeDll = Path.Combine(root, "src", "ActorCluster.Node", "bin", here.Parent.Name, here.Name, "ActorCluster.Node.dll");

var seconds = new Option<double>("--seconds") { Description = "seconds per number", DefaultValueFactory = _ => 5 };
var warmUp = new Option<double>("--warm-up") { Description = "seconds of load before each number that do not count", DefaultValueFactory = _ => 2 };
var rounds = new Option<int>("--rounds") { Description = "fail-over rounds per system", DefaultValueFactory = _ => 10 };
var connections = new Option<string>("--connections") { Description = "numbers of concurrent connections", DefaultValueFactory = _ => "1,64,256" };
var partitions = new Option<int>("--partitions") { Description = "partitions of ActorCluster", DefaultValueFactory = _ => 16 };
var keys = new Option<int>("--keys") { Description = "different keys", DefaultValueFactory = _ => 10_000 };
var systems = new Option<string>("--systems") { Description = "actorcluster, etcd, both, or none for the machine's limits only", DefaultValueFactory = _ => "actorcluster,etcd" };
var directory = new Option<DirectoryInfo?>("--directory") { Description = "where the data directories are made; its disk is what is measured (default: beside this program)" };
var markdown = new Option<FileInfo?>("--markdown") { Description = "also write the table as Markdown to this file" };
var quick = new Option<bool>("--quick") { Description = "2 seconds per number, 64 connections, 3 rounds: for a first look" };
var keepData = new Option<bool>("--keep-data") { Description = "leave data directories and logs of the processes" };
var command = new RootCommand("Measures three local ActorCluster nodes and, where it is installed, three local etcd processes, under the same load by the same client.")
{
    seconds, warmUp, rounds, connections, partitions, keys, systems, directory, markdown, quick, keepData,
};

var port = new Argument<int>("port");
var empty = new Command(EmptyEndpoint.Verb) { port };
empty.Hidden = true;
empty.SetAction(async (parsed, ct) =>
{
    await EmptyEndpoint.ServeAsync(parsed.GetValue(port), ct);
    return 0;
});
command.Add(empty);

command.SetAction(async (parsed, ct) =>
{
    var isQuick = parsed.GetValue(quick);
    var data = Path.Combine(
        parsed.GetValue(directory)?.FullName ?? here.FullName, string.Create(CultureInfo.InvariantCulture, $"benchmark-{Environment.ProcessId}"));
    var settings = new BenchmarkSettings(
        isQuick ? [64] : [.. parsed.GetValue(connections)!.Split(',').Select(c => int.Parse(c, CultureInfo.InvariantCulture))],
        TimeSpan.FromSeconds(isQuick ? 2 : parsed.GetValue(seconds)),
        TimeSpan.FromSeconds(isQuick ? 1 : parsed.GetValue(warmUp)),
        isQuick ? 3 : parsed.GetValue(rounds),
        parsed.GetValue(partitions),
        parsed.GetValue(keys),
        parsed.GetValue(systems)!.Split(','),
        data);
    // Written to a file or a pipe there is no terminal whose width matters.
    if (Console.IsOutputRedirected) AnsiConsole.Profile.Width = 160;
    try
    {
        Directory.CreateDirectory(data);
        var result = await new BenchmarkRun(settings, root, nodeDll, line => AnsiConsole.WriteLine(line)).ExecuteAsync(ct);
        var report = ClusterReport.Of(result);
        report.WriteTo(AnsiConsole.Console);
        if (parsed.GetValue(markdown) is { } file) await File.WriteAllTextAsync(file.FullName, report.ToMarkdown(), ct);
        return 0;
    }
    finally
    {
        if (!parsed.GetValue(keepData)) Directory.Delete(data, recursive: true);
    }
});
return await command.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromSeconds(30) });
