namespace Proto.Cluster;

/// <summary>The virtual actor cannot be had because its actor failed to start. Nothing was executed; asking again at once does not help.</summary>
public sealed class ActivationFailedException(ClusterIdentity clusterIdentity, string reason)
    : Exception($"{clusterIdentity.ToDiagnosticString()} could not be activated: {reason}")
{
    public ClusterIdentity Identity { get; } = clusterIdentity;

    /// <summary>What failed, as the member said where it should have started: the exception's type and message.</summary>
    public string Reason { get; } = reason;
}
