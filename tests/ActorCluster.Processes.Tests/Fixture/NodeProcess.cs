using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;

namespace ActorCluster.Processes.Tests.Fixture;

/// <summary>What a node is started with. The same over all its restarts.</summary>
sealed record NodeSettings(string Name, int Port, int HttpPort, string Seeds, int Expect, string DataDirectory, int Partitions, int SnapshotEntries, string PlacementInterval)
{
    public string Address => $"127.0.0.1:{Port}";
}

/// <summary>An ActorCluster.Node process that can be killed, paused, stopped and started again.</summary>
sealed class NodeProcess : IDisposable
{
    const int KeptLines = 300;
    static readonly string Dll = FindDll();

    readonly Queue<string> _output = new();
    Process? _process;
    volatile bool _running;
    volatile bool _paused;

    public NodeProcess(NodeSettings settings)
    {
        Settings = settings;
        Http = new HttpNode(settings.HttpPort);
        AppDomain.CurrentDomain.ProcessExit += Exiting;
    }

    public NodeSettings Settings { get; }

    public string Name => Settings.Name;

    public HttpNode Http { get; }

    public bool IsRunning => _running;

    public bool IsPaused => _paused;

    public void Start()
    {
        if (IsRunning) return;
        _process?.Dispose();
        var s = Settings;
        var start = new ProcessStartInfo("dotnet")
        {
            ArgumentList =
            {
                Dll,
                "--name", s.Name, "--listen", s.Address, "--http", $"127.0.0.1:{s.HttpPort}", "--seeds", s.Seeds,
                "--expect", $"{s.Expect}", "--data", s.DataDirectory, "--partitions", $"{s.Partitions}", "--replication-factor", "3",
                "--snapshot-entries", $"{s.SnapshotEntries}", "--placement-interval", s.PlacementInterval,
            },
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            WorkingDirectory = Path.GetDirectoryName(Dll),
        };
        Keep($"--- {s.Name} starts");
        var process = _process = new Process { StartInfo = start, EnableRaisingEvents = true };
        process.Exited += (_, _) =>
        {
            if (_process == process) _running = false;
        };
        _process.OutputDataReceived += (_, line) => Keep(line.Data);
        _process.ErrorDataReceived += (_, line) => Keep(line.Data);
        _running = true;
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        _paused = false;
    }

    /// <summary>kill -9.</summary>
    public void Kill()
    {
        if (!IsRunning) return;
        Signals.Send(_process!.Id, Signals.Kill);
        _process.WaitForExit();
        _running = _paused = false;
        Keep($"--- {Name} killed");
    }

    /// <summary>SIGTERM, and waits until the process has left by itself.</summary>
    public async Task<int> StopAsync()
    {
        Signals.Send(_process!.Id, Signals.Terminate);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        try
        {
            await _process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            Kill();
            Assert.Fail($"{Name} did not stop within 30 s of SIGTERM:\n{Log()}");
        }

        _running = false;
        Keep($"--- {Name} stopped with {_process.ExitCode}");
        return _process.ExitCode;
    }

    public void Pause()
    {
        Signals.Send(_process!.Id, Signals.Stop);
        _paused = true;
    }

    public void Resume()
    {
        if (!IsPaused) return;
        Signals.Send(_process!.Id, Signals.Continue);
        _paused = false;
    }

    /// <summary>Removes everything that the node knows. Only while it is down.</summary>
    public void Wipe() => Directory.Delete(Settings.DataDirectory, recursive: true);

    /// <summary>The latest lines that it printed.</summary>
    public string Log()
    {
        lock (_output) return string.Join('\n', _output);
    }

    public void Dispose()
    {
        AppDomain.CurrentDomain.ProcessExit -= Exiting;
        Kill();
        _process?.Dispose();
        Http.Dispose();
    }

    void Exiting(object? sender, EventArgs e) => Kill();

    void Keep(string? line)
    {
        if (line is null) return;
        lock (_output)
        {
            if (_output.Count == KeptLines) _output.Dequeue();
            _output.Enqueue(string.Create(CultureInfo.InvariantCulture, $"[{Name}] {line}"));
        }
    }

    /// <summary>The node built beside this assembly, in the same configuration: …/tests/X/bin/{configuration}/{framework}.</summary>
    static string FindDll([CallerFilePath] string here = "")
    {
        var output = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar));
        var root = output.Parent?.Parent?.Parent?.Parent?.Parent
            ?? throw new InvalidOperationException($"{output} is not an output directory (built from {here})");
        var dll = Path.Combine(root.FullName, "src", "ActorCluster.Node", "bin", output.Parent!.Name, output.Name, "ActorCluster.Node.dll");
        return File.Exists(dll) ? dll : throw new FileNotFoundException("ActorCluster.Node is not built", dll);
    }
}
