namespace Proto.Cluster.Gossip;

/// <summary>A consensus check that runs whenever gossip changes. Dispose it to end it.</summary>
public interface IConsensusHandle<T> : IDisposable
{
    /// <summary>The value that all members agree on; waits for it until the token is cancelled, and is then <c>(false, default)</c>.</summary>
    Task<(bool consensus, T value)> TryGetConsensus(CancellationToken ct);

    /// <inheritdoc cref="TryGetConsensus(CancellationToken)"/>
    /// <param name="maxWait">The longest wait.</param>
    /// <param name="ct">Ends the wait too.</param>
    Task<(bool consensus, T value)> TryGetConsensus(TimeSpan maxWait, CancellationToken ct);
}
