using System.Diagnostics;
using System.Globalization;

using OsProcess = System.Diagnostics.Process;

namespace Proto.Benchmarks.Remote;

/// <summary>Starts the other process and stops it. It also stops by itself when this one is gone, because its standard input then ends.</summary>
sealed class PeerProcess : IAsyncDisposable
{
    static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(30);
    static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(10);

    readonly OsProcess _process;

    PeerProcess(OsProcess process) => _process = process;

    public string Address { get; private set; } = "";

    public string SystemId { get; private set; } = "";

    public int HttpPort { get; private set; }

    public static async Task<PeerProcess> StartAsync(ActorSystem parent, CancellationToken ct)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardInput = true, RedirectStandardOutput = true };
        foreach (var argument in (string[])[typeof(PeerProcess).Assembly.Location, Peer.Verb, parent.Address, parent.Id]) start.ArgumentList.Add(argument);
        var peer = new PeerProcess(OsProcess.Start(start) ?? throw new InvalidOperationException("dotnet could not be started"));
        try
        {
            var ready = await peer._process.StandardOutput.ReadLineAsync(ct).AsTask().WaitAsync(StartTimeout, ct)
                ?? throw new InvalidOperationException("the peer process ended before it was ready");
            var fields = ready.Split(' ');
            (peer.Address, peer.SystemId, peer.HttpPort) = (fields[0], fields[1], int.Parse(fields[2], CultureInfo.InvariantCulture));
            return peer;
        }
        catch
        {
            await peer.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        using (_process)
        {
            _process.StandardInput.Close();
            using var deadline = new CancellationTokenSource(StopTimeout);
            await _process.WaitForExitAsync(deadline.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!_process.HasExited) _process.Kill();
        }
    }
}
