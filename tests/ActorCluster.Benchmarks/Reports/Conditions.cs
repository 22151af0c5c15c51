using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace ActorCluster.Benchmarks.Reports;

/// <summary>What the numbers depend on beside the code.</summary>
sealed record Conditions(string Commit, int Cores, string Kernel, string FileSystem, string DotNet, DateTimeOffset At)
{
    public static Conditions Of(string root, string directory) => new(
        CommitOf(root),
        Environment.ProcessorCount,
        "Linux " + File.ReadAllText("/proc/sys/kernel/osrelease").Trim(),
        FileSystemOf(directory),
        RuntimeInformation.FrameworkDescription,
        TimeProvider.System.GetUtcNow());

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

    static string FileSystemOf(string directory)
    {
        var best = (Mount: "", Type: "unknown");
        foreach (var line in File.ReadLines("/proc/mounts"))
        {
            var fields = line.Split(' ');
            var isParent = directory == fields[1] || directory.StartsWith(fields[1].TrimEnd('/') + "/", StringComparison.Ordinal);
            if (isParent && fields[1].Length >= best.Mount.Length) best = (fields[1], string.Create(CultureInfo.InvariantCulture, $"{fields[2]}"));
        }
        return best.Type;
    }
}
