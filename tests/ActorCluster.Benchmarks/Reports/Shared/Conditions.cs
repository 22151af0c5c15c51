using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace ActorCluster.Benchmarks.Reports;

/// <summary>What the numbers depend on beside what is measured.</summary>
sealed record Conditions(string Commit, int Cores, string Processor, string Kernel, string DotNet, DateTimeOffset At)
{
    /// <param name="root">The repository whose code is measured.</param>
    public static Conditions Of(string root) => new(
        CommitOf(root),
        Environment.ProcessorCount,
        ProcessorName(),
        "Linux " + File.ReadAllText("/proc/sys/kernel/osrelease").Trim(),
        RuntimeInformation.FrameworkDescription,
        TimeProvider.System.GetUtcNow());

    public string Text => string.Create(
        CultureInfo.InvariantCulture,
        $"{At:yyyy-MM-dd HH:mm} UTC, commit {Commit}, {Cores} cores ({Processor}) shared by all processes, {Kernel}, {DotNet}");

    static string CommitOf(string root)
    {
        var commit = Git(root, "rev-parse", "--short", "HEAD");
        return Git(root, "status", "--porcelain", "--untracked-files=no").Length == 0 ? commit : commit + " with local changes";
    }

    static string Git(string root, params string[] arguments)
    {
        var start = new ProcessStartInfo("git") { WorkingDirectory = root, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return output.Trim();
    }

    static string ProcessorName()
    {
        var line = File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal));
        return line is null ? RuntimeInformation.ProcessArchitecture.ToString() : line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim();
    }
}
