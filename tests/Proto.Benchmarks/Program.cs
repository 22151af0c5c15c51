using System.CommandLine;
using ActorCluster.Benchmarks.Reports;
using BenchmarkDotNet.Running;
using Proto.Benchmarks;
using Proto.Benchmarks.Micro;
using Proto.Benchmarks.Remote;
using Proto.Benchmarks.Reports;
using Spectre.Console;

// .../tests/Proto.Benchmarks/bin/{configuration}/{framework}/
var root = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Parent!.Parent!.Parent!.Parent!.FullName;

var rounds = new Option<int>("--rounds") { Description = "rounds per row", DefaultValueFactory = _ => 5 };
var seconds = new Option<double>("--seconds") { Description = "seconds per round", DefaultValueFactory = _ => 0.5 };
var groups = new Option<string>("--groups") { Description = "which rows: local, remote, cluster", DefaultValueFactory = _ => "local,remote,cluster" };
var only = new Option<string>("--only") { Description = "only rates whose name has this in it", DefaultValueFactory = _ => "" };
var markdown = new Option<FileInfo?>("--markdown") { Description = "also write the table as Markdown to this file" };
var quick = new Option<bool>("--quick") { Description = "3 rounds of 0.1 seconds: for a first look" };
var command = new RootCommand("Measures the actor engine, each number beside a baseline of the same run.") { rounds, seconds, groups, only, markdown, quick };
command.SetAction(async (parsed, ct) =>
{
    var isQuick = parsed.GetValue(quick);
    var settings = new BenchmarkSettings(
        isQuick ? 3 : parsed.GetValue(rounds),
        TimeSpan.FromSeconds(isQuick ? 0.1 : parsed.GetValue(seconds)),
        isQuick ? 50_000 : 200_000,
        parsed.GetValue(groups)!.Split(','),
        parsed.GetValue(only)!);
    // Written to a file or a pipe there is no terminal whose width matters.
    if (Console.IsOutputRedirected) AnsiConsole.Profile.Width = 200;
    var conditions = Conditions.Of(root);
    var rows = await new EngineRun(settings, line => AnsiConsole.WriteLine(line)).ExecuteAsync(ct);
    var report = EngineReport.Of(conditions, settings, rows);
    report.WriteTo(AnsiConsole.Console);
    if (parsed.GetValue(markdown) is { } file) await File.WriteAllTextAsync(file.FullName, report.ToMarkdown(), ct);
});

var address = new Argument<string>("address");
var id = new Argument<string>("id");
var peer = new Command(Peer.Verb) { address, id };
peer.Hidden = true;
peer.SetAction((parsed, ct) => Peer.ServeAsync(parsed.GetValue(address)!, parsed.GetValue(id)!, ct));
command.Add(peer);

var micro = new Command("micro", "Single operations under BenchmarkDotNet: time and bytes of each.");
micro.SetAction(_ => BenchmarkRunner.Run<LocalOperations>());
command.Add(micro);

return await command.Parse(args).InvokeAsync();
