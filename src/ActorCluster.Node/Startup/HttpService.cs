using ActorCluster.Node.Http;

namespace ActorCluster.Node.Startup;

/// <summary>Serves the HTTP API for as long as the process runs: from before the cluster has formed, so that /health can say who is missing.</summary>
sealed partial class HttpService(HttpApi api, ILogger<HttpService> log) : IHostedService
{
    public async Task StartAsync(CancellationToken ct)
    {
        await api.StartAsync(ct);
        foreach (var address in api.Addresses) LogServing(address);
    }

    public Task StopAsync(CancellationToken ct) => api.StopAsync(ct);

    [LoggerMessage(Level = LogLevel.Information, Message = "HTTP API at {Address}")]
    partial void LogServing(Uri address);
}
