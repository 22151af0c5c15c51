using Microsoft.Extensions.Hosting;

namespace ActorCluster.Hosting;

/// <summary>Starts and stops the node with its host, and stops the host when the node fails.</summary>
sealed class ClusterNodeService(ClusterNode node, IHostApplicationLifetime lifetime) : IHostedService
{
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await node.StartAsync().ConfigureAwait(false);
        _ = node.Failed.ContinueWith(
            _ => lifetime.StopApplication(), CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
    }

    public Task StopAsync(CancellationToken cancellationToken) => node.StopAsync();
}
