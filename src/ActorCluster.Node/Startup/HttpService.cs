using ActorCluster.Node.Http;

namespace ActorCluster.Node.Startup;

/// <summary>
/// Serves the HTTP API while the node runs: it starts right after the node, before the cluster has formed, so that /health can
/// say who is missing, and stops before the node, so that requests under way can end.
/// </summary>
sealed partial class HttpService(ClusterNode node, ActorClusterOptions options, TimeProvider time, ILoggerFactory logs) : IHostedService
{
    readonly ILogger _log = logs.CreateLogger<HttpService>();
    HttpApi? _api;

    public async Task StartAsync(CancellationToken ct)
    {
        var operations = new ClusterNodeOperations(node);
        var settings = new HttpApiSettings(options.Name, HostPort.Parse(options.Http!), options.RequestTimeout);
        _api = new HttpApi(settings, operations, operations, time, logs);
        await _api.StartAsync(ct);
        foreach (var address in _api.Addresses) LogServing(address);
    }

    public async Task StopAsync(CancellationToken ct)
    {
        if (_api is not { } api) return;
        await api.StopAsync(ct);
        await api.DisposeAsync();
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "HTTP API at {Address}")]
    partial void LogServing(Uri address);
}
