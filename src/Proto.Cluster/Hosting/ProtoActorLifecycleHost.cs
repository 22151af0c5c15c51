using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Proto.Cluster;

/// <summary>
/// Starts the cluster with the host, and leaves it gracefully when the host stops, within the host's shutdown timeout. When the actor system is
/// shut down by something else, the host stops too: a process without its cluster serves nobody.
/// </summary>
public partial class ProtoActorLifecycleHost(ActorSystem actorSystem, IHostApplicationLifetime lifetime, bool runAsClient) : IHostedService
{
    readonly ILogger _logger = actorSystem.LoggerFactory.CreateLogger<ProtoActorLifecycleHost>();
    CancellationTokenRegistration _shutdown;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        _shutdown = actorSystem.Shutdown.Register(lifetime.StopApplication);
        var cluster = actorSystem.Cluster();
        // A host that gives up, or is told to stop, must not wait for a cluster that cannot be joined.
        await using var given = cancellationToken.Register(() => _ = cluster.ShutdownAsync(graceful: true, "the host's start was cancelled"));
        await (runAsClient ? cluster.StartClientAsync() : cluster.StartMemberAsync());
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _shutdown.DisposeAsync();
        try
        {
            await actorSystem.Cluster().ShutdownAsync(graceful: true, "the host stops").WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            LogNotStopped(_logger, actorSystem.Address);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Address} had not left the cluster when the host's shutdown timeout was over; the others find out")]
    static partial void LogNotStopped(ILogger logger, string address);
}
