using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace ActorCluster.Benchmarks.Systems;

/// <summary>A server as a process of its own, with its log in a file.</summary>
sealed class ServerProcess(string name, IPEndPoint http, string logFile, string program, IReadOnlyList<string> arguments) : IDisposable
{
    Process? _process;

    public string Name => name;

    public IPEndPoint Http => http;

    public bool IsRunning => _process is { HasExited: false };

    public void Start()
    {
        _process?.Dispose();
        Directory.CreateDirectory(Path.GetDirectoryName(logFile)!);
        // The shell gives the server its log file and then becomes the server.
        var start = new ProcessStartInfo("/bin/sh");
        foreach (var argument in (string[])["-c", "log=$1; shift; exec \"$@\" >>\"$log\" 2>&1 </dev/null", "sh", logFile, program, .. arguments])
            start.ArgumentList.Add(argument);
        _process = Process.Start(start) ?? throw new InvalidOperationException("/bin/sh could not be started");
    }

    /// <summary>SIGKILL.</summary>
    public void Kill()
    {
        if (_process is not { } process) return;
        if (!process.HasExited) process.Kill();
        process.WaitForExit();
    }

    /// <summary>Resident memory, in bytes.</summary>
    public long ResidentBytes()
    {
        var line = File.ReadLines(string.Create(CultureInfo.InvariantCulture, $"/proc/{_process!.Id}/status")).First(l => l.StartsWith("VmRSS:", StringComparison.Ordinal));
        return 1024 * long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture);
    }

    /// <summary>Processor time that it has used, in user and in kernel mode.</summary>
    public TimeSpan ProcessorTime()
    {
        _process!.Refresh();
        return _process.TotalProcessorTime;
    }

    /// <summary>Says why when it ended by itself.</summary>
    public void ThrowIfEnded()
    {
        if (_process is { HasExited: true } process)
            throw new InvalidOperationException($"{name} ended with exit code {process.ExitCode}: {string.Join(" | ", LogTail())}");
    }

    public IEnumerable<string> LogTail() => File.Exists(logFile) ? File.ReadLines(logFile).TakeLast(8) : [];

    public void Dispose()
    {
        Kill();
        _process?.Dispose();
    }

    /// <summary>Free ports of the loopback; all are held until all are known, so that none is given twice.</summary>
    public static IPEndPoint[] FreeEndpoints(int count)
    {
        var listeners = Enumerable.Range(0, count).Select(_ => new TcpListener(IPAddress.Loopback, 0)).ToArray();
        try
        {
            foreach (var listener in listeners) listener.Start();
            return [.. listeners.Select(l => (IPEndPoint)l.LocalEndpoint)];
        }
        finally
        {
            foreach (var listener in listeners) listener.Dispose();
        }
    }
}
