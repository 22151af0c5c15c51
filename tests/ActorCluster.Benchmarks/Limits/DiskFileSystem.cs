using System.Globalization;

namespace ActorCluster.Benchmarks.Limits;

/// <summary>The file system that holds a directory.</summary>
static class DiskFileSystem
{
    public static string Of(string directory)
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
