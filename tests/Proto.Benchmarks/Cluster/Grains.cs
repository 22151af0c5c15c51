using Proto.Benchmarks.Messages;
using Proto.Cluster;

namespace Proto.Benchmarks.Cluster;

/// <summary>Requests to virtual actors: again and again to the same ones, or each to one that nobody has asked before.</summary>
sealed class Grains(Proto.Cluster.Cluster cluster, Payload message)
{
    /// <summary>Most that one round activates: activations stay, both processes hold them, and all of a run shall fit into the PID cache.</summary>
    public const int MaxActivations = 15_000;

    readonly ClusterIdentity[] _there = [.. Enumerable.Range(0, 1000).Select(i => ClusterIdentity.Create($"grain-{i}", TwoMembers.There))];
    int _next;
    int _lastActivated;

    public Task RequestThereAsync(int caller) =>
        cluster.RequestAsync<Payload>(_there[(uint)Interlocked.Increment(ref _next) % (uint)_there.Length], message, CancellationToken.None);

    public Task ActivateAsync(string kind) =>
        cluster.RequestAsync<Payload>(ClusterIdentity.Create($"new-{Interlocked.Increment(ref _lastActivated)}", kind), message, CancellationToken.None);
}
