using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using ActorCluster.Node.Startup;

namespace ActorCluster.Node.Tests;

/// <summary>A real node process of a cluster of one.</summary>
sealed class RunningNode : IDisposable
{
    public const int Sigint = 2;
    public const int Sigterm = 15;

    const string Serving = "HTTP API at ";
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    readonly Process _process;
    readonly ConcurrentQueue<string> _lines = new();
    readonly TaskCompletionSource<Uri> _http = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public RunningNode(string data)
    {
        var port = FreePort();
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var arg in new[]
        {
            typeof(NodeProcess).Assembly.Location, "--name", "n1", "--listen", $"127.0.0.1:{port}", "--http", "127.0.0.1:0", "--seeds", $"127.0.0.1:{port}",
            "--expect", "1", "--data", data, "--partitions", "2",
        })
        {
            start.ArgumentList.Add(arg);
        }

        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, e) => Hear(e.Data);
        _process.ErrorDataReceived += (_, e) => Hear(e.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    public string Log => string.Join(Environment.NewLine, _lines);

    /// <summary>A client of its HTTP API, once it is healthy.</summary>
    public async Task<HttpClient> HealthyAsync()
    {
        var ended = _process.WaitForExitAsync();
        var first = await Task.WhenAny(_http.Task, ended).WaitAsync(Patience);
        Assert.True(first == _http.Task, "the node ended: " + Log);
        var http = new HttpClient { BaseAddress = await _http.Task };
        using var patience = new CancellationTokenSource(Patience);
        while ((await http.GetAsync("/health", patience.Token)).StatusCode != HttpStatusCode.OK)
            await Task.Delay(20, patience.Token);
        return http;
    }

    public void Signal(int signal) => Assert.Equal(0, Kill(_process.Id, signal));

    public async Task<int> ExitCodeAsync()
    {
        await _process.WaitForExitAsync().WaitAsync(Patience);
        return _process.ExitCode;
    }

    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill();
        _process.Dispose();
    }

    void Hear(string? line)
    {
        if (line is null) return;
        _lines.Enqueue(line);
        var at = line.IndexOf(Serving, StringComparison.Ordinal);
        if (at >= 0) _http.TrySetResult(new Uri(line[(at + Serving.Length)..].Trim()));
    }

    static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int Kill(int pid, int signal);
}
