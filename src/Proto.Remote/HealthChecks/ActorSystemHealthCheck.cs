using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Proto.Remote.HealthChecks;

/// <summary>Unhealthy from the moment when the actor system begins to shut down.</summary>
public sealed class ActorSystemHealthCheck(ActorSystem system) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(
            system.IsShuttingDown
                ? HealthCheckResult.Unhealthy($"the actor system is shutting down or stopped: {system.StoppedReason}")
                : HealthCheckResult.Healthy());
}
