using System.Collections.Concurrent;
using System.Diagnostics;
using Grpc.Core;
using OsProcess = System.Diagnostics.Process;

namespace Proto.Remote.Tests.Conversation;

/// <summary>A node of ours, and peer.js that talks to it: one of each for all tests.</summary>
public sealed class GrpcJsPeer : IAsyncLifetime
{
    readonly ConcurrentDictionary<string, TaskCompletionSource<string>> _said = new(StringComparer.Ordinal);
    TestNode? _node;
    OsProcess? _process;

    public async Task InitializeAsync()
    {
        if (GrpcJs.Missing is not null) return;
        _node = await TestNode.StartAsync(config => config
            .WithMaxMessageBytes(64 * 1024)
            .WithRemoteDiagnostics(true)
            .WithCallOptions(new CallOptions(new Metadata { { "x-from", "the node" } })));
        _node.SpawnEcho();
        _node.SpawnInbox("mortal", out _);
        _process = OsProcess.Start(new ProcessStartInfo(
            "node",
            [Path.Combine(GrpcJs.Sources, "peer.js"), _node.Address, _node.System.Id, Path.Combine(GrpcJs.Sources, "protos"), Path.Combine(GrpcJs.Sources, "protos")])
        {
            Environment = { ["NODE_PATH"] = GrpcJs.Modules },
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        _process.OutputDataReceived += (_, line) => Heard(line.Data);
        _process.BeginOutputReadLine();
    }

    /// <summary>Where peer.js serves.</summary>
    public Task<string> AddressAsync() => WaitAsync("listens");

    /// <summary>How the scenario went: empty when well.</summary>
    public Task<string> OutcomeAsync(string scenario) => WaitAsync(scenario);

    public async Task DisposeAsync()
    {
        if (_process is not null)
        {
            _process.Kill();
            await _process.WaitForExitAsync(TestNode.Soon());
            _process.Dispose();
        }

        if (_node is not null) await _node.DisposeAsync();
    }

    void Heard(string? line)
    {
        switch (line?.Split(' ', 2))
        {
            case ["listens", var address]: Of("listens").TrySetResult(address); break;
            case ["ok", var scenario]: Of(scenario).TrySetResult(""); break;
            case ["failed", var failure]:
                var why = failure.IndexOf('"', StringComparison.Ordinal);
                Of(failure[..(why - 1)]).TrySetResult(failure[why..]);
                break;
        }
    }

    Task<string> WaitAsync(string what) => Of(what).Task.WaitAsync(TestNode.Soon());

    TaskCompletionSource<string> Of(string what) =>
        _said.GetOrAdd(what, _ => new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously));
}
