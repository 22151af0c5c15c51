using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Proto.Cluster;

/// <summary>Unhealthy while the cluster stops and after; degraded before this system has joined it.</summary>
public sealed class ClusterHealthCheck(Cluster cluster) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) => Task.FromResult(
        cluster.ShutdownCompleted.IsCompleted || cluster.System.Shutdown.IsCancellationRequested ? HealthCheckResult.Unhealthy("this system has left the cluster")
        : cluster.IsStopping ? HealthCheckResult.Unhealthy("this system is leaving the cluster")
        : cluster.JoinedCluster.IsCompletedSuccessfully ? HealthCheckResult.Healthy()
        : HealthCheckResult.Degraded("this system has not joined the cluster yet"));
}
