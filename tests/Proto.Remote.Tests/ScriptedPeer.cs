using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using Proto.Remote.Endpoints;
using Proto.Remote.Transport;

namespace Proto.Remote.Tests;

/// <summary>A peer that answers the handshake like a member, and then does with the stream what the test says.</summary>
sealed class ScriptedPeer : IAsyncDisposable
{
    readonly GrpcServer _server;
    readonly CancellationTokenSource _over;

    ScriptedPeer(GrpcServer server, CancellationTokenSource over)
    {
        _server = server;
        _over = over;
    }

    public string Address => $"127.0.0.1:{_server.Endpoint.Port}";

    public PID Of(string id) => PID.FromAddress(Address, id);

    /// <param name="script">Gets the number of the stream (from 1), the call, and a token that ends with the peer.</param>
    /// <param name="answer">Its answer to the handshake.</param>
    public static async Task<ScriptedPeer> StartAsync(Func<int, IServerCall, CancellationToken, Task> script, ConnectResponse? answer = null)
    {
        var streams = 0;
        var over = new CancellationTokenSource();
        var response = Handshake.Frame(new RemoteMessage { ConnectResponse = answer ?? new ConnectResponse { MemberId = "scripted" } });
        var methods = new Dictionary<string, GrpcHandler>(StringComparer.Ordinal)
        {
            [Handshake.ReceiveMethod] = async call =>
            {
                await call.Requests.ReadAsync(call.Aborted);
                await call.WriteAsync(response, call.Aborted);
                await script(Interlocked.Increment(ref streams), call, over.Token);
            },
        };
        var options = new GrpcServerOptions { Endpoint = new IPEndPoint(IPAddress.Loopback, 0), StreamWindowBytes = 64 * 1024, ConnectionWindowBytes = 64 * 1024 };
        return new ScriptedPeer(await GrpcServer.StartAsync(options, methods, NullLoggerFactory.Instance, CancellationToken.None), over);
    }

    /// <summary>A script that never reads.</summary>
    public static Task NeverReads(int stream, IServerCall call, CancellationToken over) => UntilOverAsync(over);

    public static async Task UntilOverAsync(CancellationToken over)
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = over.Register(() => ended.SetResult());
        await ended.Task;
    }

    public async ValueTask DisposeAsync()
    {
        await _over.CancelAsync();
        await _server.DisposeAsync();
        _over.Dispose();
    }
}
