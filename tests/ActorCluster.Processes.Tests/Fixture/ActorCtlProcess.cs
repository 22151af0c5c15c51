using System.Diagnostics;

namespace ActorCluster.Processes.Tests.Fixture;

/// <summary>Runs actorctl as a process of its own.</summary>
static class ActorCtlProcess
{
    public static async Task<(int Code, string Output, string Errors)> RunAsync(params string[] arguments)
    {
        var output = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar));
        var root = output.Parent!.Parent!.Parent!.Parent!.Parent!;
        var dll = Path.Combine(root.FullName, "src", "ActorCluster.Cli", "bin", output.Parent.Name, output.Name, "actorctl.dll");
        using var process = Process.Start(new ProcessStartInfo("dotnet", [dll, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var text = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync().WaitAsync(ProcessCluster.Patience);
        return (process.ExitCode, await text, await errors);
    }
}
