namespace Proto.Cluster.Identity;

/// <summary>Finds the activation of a virtual actor, and causes it when there is none.</summary>
public interface IIdentityLookup : IDiagnosticsProvider
{
    /// <summary>The activation's PID; null when it cannot be had now (the caller tries again).</summary>
    Task<PID?> GetAsync(ClusterIdentity clusterIdentity, CancellationToken ct);

    /// <summary>The PID did not answer or is known to be gone.</summary>
    Task RemovePidAsync(ClusterIdentity clusterIdentity, PID pid, CancellationToken ct);

    /// <summary>Called once, before the cluster provider starts.</summary>
    Task SetupAsync(Cluster cluster, string[] kinds, bool isClient);

    Task ShutdownAsync();
}

/// <summary><see cref="CanSpawnIdentity"/> refused the identity.</summary>
public class IdentityIsBlockedException(ClusterIdentity clusterIdentity)
    : Exception($"the identity {clusterIdentity.ToDiagnosticString()} is refused by its kind")
{
    public ClusterIdentity BlockedIdentity { get; } = clusterIdentity;
}
