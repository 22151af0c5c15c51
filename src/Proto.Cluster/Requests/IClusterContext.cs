namespace Proto.Cluster;

/// <summary>How requests reach virtual actors.</summary>
public interface IClusterContext
{
    /// <summary>Finds the activation and asks it.</summary>
    /// <exception cref="TimeoutException">No reply in time: the request may have been executed, unless the message says otherwise.</exception>
    /// <exception cref="KindNotHostedException">No member hosts the kind.</exception>
    Task<T?> RequestAsync<T>(ClusterIdentity clusterIdentity, object message, ISenderContext context, CancellationToken ct);
}
