using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Quickstart;

/// <summary>One node as a process of its own, with its own data directory and log file.</summary>
sealed class NodeProcess(string dll, string name, int clusterPort, int httpPort, string directory, IReadOnlyList<string> seeds)
{
    const int Sigterm = 15; // POSIX

    Process? _process;

    public string Name => name;

    public string Address => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{clusterPort}");

    public Uri Http => new(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{httpPort}"));

    public string LogFile => Path.Combine(directory, "node.log");

    public int? Id => _process is { HasExited: false } process ? process.Id : null;

    public static NodeProcess[] Plan(string dll, string directory, int count)
    {
        var ports = FreePorts(2 * count);
        var seeds = ports.Take(count).Select(p => string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{p}")).ToArray();
        return [.. Enumerable.Range(0, count).Select(i => new NodeProcess(dll, $"n{i + 1}", ports[i], ports[count + i], Path.Combine(directory, $"n{i + 1}"), seeds))];
    }

    public void Start()
    {
        Directory.CreateDirectory(directory);
        // The shell gives the node its log file and then becomes the node: no pipe to us that would break when we end.
        var start = new ProcessStartInfo("/bin/sh");
        foreach (var arg in (string[])["-c", "log=$1; shift; exec \"$@\" >>\"$log\" 2>&1 </dev/null", "sh", LogFile, "dotnet", .. Arguments()]) start.ArgumentList.Add(arg);
        _process = Process.Start(start) ?? throw new InvalidOperationException("/bin/sh could not be started");
    }

    /// <summary>SIGKILL: no goodbye, no flush.</summary>
    public async Task KillAsync()
    {
        _process!.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>SIGTERM, and SIGKILL when that is not heard.</summary>
    public async Task StopAsync(TimeSpan patience)
    {
        if (Id is not { } id) return;
        if (Kill(id, Sigterm) != 0) _process!.Kill();
        using var timeout = new CancellationTokenSource(patience);
        try
        {
            await _process!.WaitForExitAsync(timeout.Token);
        }
        catch (OperationCanceledException)
        {
            await KillAsync();
        }
    }

    /// <summary>Says why when the process has ended by itself.</summary>
    public void ThrowIfEnded()
    {
        if (_process is { HasExited: true } process)
            throw new InvalidOperationException($"{name} ended with exit code {process.ExitCode}: {string.Join(" | ", File.ReadLines(LogFile).TakeLast(5))}");
    }

    IEnumerable<string> Arguments() =>
    [
        dll, "--name", name, "--listen", Address, "--http", Http.Authority, "--seeds", string.Join(',', seeds),
        "--expect", seeds.Count.ToString(CultureInfo.InvariantCulture), "--data", Path.Combine(directory, "data"),
    ];

    // All are held until all are known, so that no port is given twice.
    static int[] FreePorts(int count)
    {
        var listeners = Enumerable.Range(0, count).Select(_ => new TcpListener(IPAddress.Loopback, 0)).ToArray();
        try
        {
            foreach (var listener in listeners) listener.Start();
            return [.. listeners.Select(l => ((IPEndPoint)l.LocalEndpoint).Port)];
        }
        finally
        {
            foreach (var listener in listeners) listener.Dispose();
        }
    }

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int Kill(int pid, int signal);
}
