using System.Diagnostics;
using ActorCluster.Node.Startup;

namespace ActorCluster.Node.Tests;

/// <summary>The process as its supervisor sees it: what it prints and how it exits before it starts anything.</summary>
public sealed class NodeProcessTests : IDisposable
{
    readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("actorcluster-node-test");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public async Task Without_settings_it_names_all_of_them_and_exits_with_2()
    {
        var (code, output, errors) = await RunAsync([]);

        Assert.Equal(ExitCode.WrongSettings, code);
        Assert.Empty(output);
        foreach (var name in new[] { "--name", "--listen", "--http", "--seeds", "--expect", "--data" }) Assert.Contains(name, errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Command_line_variables_and_file_are_read_in_this_order_and_judged_together()
    {
        await File.WriteAllTextAsync(
            Path.Combine(_directory.FullName, "appsettings.json"),
            """{"ActorCluster":{"Name":"bad name","Listen":"nowhere","Seeds":["127.0.0.1:1","?"],"Expect":0,"Tick":"soon","Colour":"red"}}""");

        var (code, _, errors) = await RunAsync(
            ["--name", "n1", "--partitions", "many", "--whatever", "1"],
            ("ACTORCLUSTER_NAME", "also bad"), ("ACTORCLUSTER_LISTEN", "0.0.0.0:0"), ("ACTORCLUSTER_SNAPSHOT_ENTRIES", "-1"));

        Assert.Equal(ExitCode.WrongSettings, code);
        Assert.DoesNotContain("--name", errors, StringComparison.Ordinal);
        Assert.DoesNotContain("Listen (--listen)", errors, StringComparison.Ordinal);
        foreach (var wrong in new[]
        {
            "--whatever",
            "Advertise (--advertise) is missing",
            "Seeds (--seeds) is \"?\"",
            "Expect (--expect) is missing",
            "DataDirectory (--data) is missing",
            "Partitions (--partitions) is \"many\": give a whole number",
            "SnapshotEntries (--snapshot-entries) is \"-1\": give 1 to 10000000",
            "Tick (--tick) is \"soon\"",
            "Colour",
            "Http (--http) is missing",
        })
        {
            Assert.Contains(wrong, errors, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_file_that_is_not_json_is_named()
    {
        await File.WriteAllTextAsync(Path.Combine(_directory.FullName, "appsettings.json"), "{");
        var (code, _, errors) = await RunAsync([]);
        Assert.Equal(ExitCode.WrongSettings, code);
        Assert.Contains("appsettings.json", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Help_lists_every_setting_with_its_default()
    {
        var (code, output, _) = await RunAsync(["--help"]);
        Assert.Equal(ExitCode.Ok, code);
        Assert.All(ActorClusterSettings.All, s => Assert.Contains(s.Option, output, StringComparison.Ordinal));
        Assert.Contains("default: 16", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_version_is_told()
    {
        var (code, output, _) = await RunAsync(["--version"]);
        Assert.Equal(ExitCode.Ok, code);
        Assert.StartsWith("0.", output, StringComparison.Ordinal);
    }

    async Task<(int Code, string Output, string Errors)> RunAsync(string[] args, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) == "dotnet" ? path : "dotnet")
        {
            WorkingDirectory = _directory.FullName,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.ArgumentList.Add(typeof(NodeProcess).Assembly.Location);
        foreach (var arg in args) start.ArgumentList.Add(arg);
        foreach (var (name, value) in environment) start.Environment[name] = value;
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, await output, await errors);
    }
}
