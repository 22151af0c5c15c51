using System.Globalization;
using System.Net;
using ActorCluster.Benchmarks.Load;
using ActorCluster.Benchmarks.Systems;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace ActorCluster.Benchmarks.Limits;

/// <summary>
/// Kestrel with nothing behind it, in a process of its own: what the same client gets from an HTTP server that does no
/// work, on this machine.
/// </summary>
static class EmptyEndpoint
{
    /// <summary>The hidden verb under which this program is that process.</summary>
    public const string Verb = "serve-empty-endpoint";

    public static async Task ServeAsync(int port, CancellationToken ct)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port));
        await using var app = builder.Build();
        app.Run(static context =>
        {
            context.Response.ContentLength = 0;
            return Task.CompletedTask;
        });
        await app.StartAsync(ct);
        await app.WaitForShutdownAsync(ct);
    }

    public static async Task<IReadOnlyList<LoadResult>> MeasureAsync(string directory, IReadOnlyList<int> connections, TimeSpan duration, CancellationToken ct)
    {
        var endpoint = ServerProcess.FreeEndpoints(1)[0];
        using var server = new ServerProcess(
            "empty endpoint", endpoint, Path.Combine(directory, "empty.log"), "dotnet",
            [typeof(EmptyEndpoint).Assembly.Location, Verb, endpoint.Port.ToString(CultureInfo.InvariantCulture)]);
        server.Start();
        var request = Workload.Http("GET", "/", "", []);
        while (!await AnswersAsync(endpoint, request, ct))
        {
            server.ThrowIfEnded();
            await Task.Delay(TimeSpan.FromMilliseconds(50), ct);
        }
        var results = new List<LoadResult>();
        foreach (var count in connections) results.Add(await LoadRun.RunAsync([endpoint], [request], count, TimeSpan.FromSeconds(1), duration, ct));
        return results;
    }

    static async Task<bool> AnswersAsync(IPEndPoint endpoint, byte[] request, CancellationToken ct)
    {
        try
        {
            using var connection = new HttpConnection(endpoint);
            await connection.ConnectAsync(ct);
            return await connection.RequestAsync(request, ct) == 200;
        }
        catch (Exception e) when (e is System.Net.Sockets.SocketException or IOException)
        {
            return false; // Still starting.
        }
    }
}
