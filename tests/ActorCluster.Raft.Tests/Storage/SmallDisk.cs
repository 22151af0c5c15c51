using System.Diagnostics;

namespace ActorCluster.Raft.Tests.Storage;

/// <summary>A real file system of a few megabytes (tmpfs), where this machine and user may mount one.</summary>
sealed class SmallDisk : IDisposable
{
    SmallDisk(string path) => Path = path;

    public string Path { get; }

    /// <summary>Why there can be none here; null when there can.</summary>
    public static string? WhyNot { get; } = Try();

    public static SmallDisk Mount(int megabytes)
    {
        var path = Directory.CreateTempSubdirectory("small-disk-").FullName;
        Run("mount", "-t", "tmpfs", "-o", $"size={megabytes}m", "tmpfs", path);
        return new SmallDisk(path);
    }

    /// <summary>Takes all the room that is left.</summary>
    public static void Fill(string path)
    {
        using var file = File.OpenHandle(path, FileMode.Create, FileAccess.Write);
        var block = new byte[4096];
        try
        {
            for (long offset = 0; ; offset += block.Length) RandomAccess.Write(file, block, offset);
        }
        catch (IOException)
        {
            // Full, which is what was asked for.
        }
    }

    public void Dispose()
    {
        Run("umount", Path);
        Directory.Delete(Path);
    }

    static string? Try()
    {
        if (!OperatingSystem.IsLinux()) return "needs tmpfs";
        try
        {
            Mount(1).Dispose();
            return null;
        }
        catch (Exception e) when (e is InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            return $"no tmpfs can be mounted here: {e.Message}";
        }
    }

    static void Run(string command, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(command, arguments) { RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0) throw new InvalidOperationException($"{command}: {error.Trim()}");
    }
}

/// <summary>A test that needs a <see cref="SmallDisk"/>; skipped, with the reason, where there can be none.</summary>
sealed class SmallDiskFactAttribute : FactAttribute
{
    public SmallDiskFactAttribute() => Skip = SmallDisk.WhyNot;
}
