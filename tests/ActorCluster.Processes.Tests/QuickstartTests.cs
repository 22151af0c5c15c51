using System.Diagnostics;

namespace ActorCluster.Processes.Tests;

/// <summary>The first thing a newcomer runs, as a newcomer runs it: three nodes, kill -9 in the middle, every count exact.</summary>
public class QuickstartTests
{
    static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    [Fact]
    public async Task B81_The_quick_start_counts_exactly_through_a_kill_and_ends_by_itself()
    {
        var output = new DirectoryInfo(AppContext.BaseDirectory); // …/tests/ActorCluster.Processes.Tests/bin/{configuration}/{framework}/
        var root = output.Parent!.Parent!.Parent!.Parent!.Parent!.FullName;
        var dll = Path.Combine(root, "examples", "Quickstart", "bin", output.Parent.Name, output.Name, "Quickstart.dll");
        using var process = Process.Start(new ProcessStartInfo("dotnet") { ArgumentList = { dll }, RedirectStandardOutput = true, RedirectStandardError = true })!;
        try
        {
            var text = process.StandardOutput.ReadToEndAsync();
            var errors = process.StandardError.ReadToEndAsync();
            await process.WaitForExitAsync().WaitAsync(Patience);
            Assert.True(process.ExitCode == 0, $"exit code {process.ExitCode}\n{await text}\n{await errors}");
            Assert.Contains("Unreachable", await text, StringComparison.Ordinal);
        }
        finally
        {
            if (!process.HasExited) process.Kill(entireProcessTree: true);
        }
    }
}
