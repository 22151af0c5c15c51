using Proto.Cluster.Identity;
using Proto.Cluster.Placement;

namespace Proto.Cluster.SingleNode;

/// <summary>For clusters of one member, without network: everything is activated here.</summary>
public sealed class SingleNodeLookup(TimeSpan getPidTimeout) : IIdentityLookup, ILocator
{
    internal const string ActivatorName = "$sn-activator";

    Cluster _cluster = null!;
    PlacementQuestions _questions = null!;
    PID? _activator;

    public SingleNodeLookup() : this(TimeSpan.FromSeconds(1)) { }

    public Task SetupAsync(Cluster cluster, string[] kinds, bool isClient)
    {
        if (isClient) throw new NotSupportedException("a single node has no clients: start it with StartMemberAsync");
        _cluster = cluster;
        _questions = new PlacementQuestions(cluster, getPidTimeout);
        _activator = cluster.System.Root.SpawnNamedSystem(SpawnOnlyActor.Props(cluster), ActivatorName);
        return Task.CompletedTask;
    }

    public async Task<PID?> GetAsync(ClusterIdentity clusterIdentity, CancellationToken ct) => (await LocateAsync(clusterIdentity, ct)).Pid;

    public Task RemovePidAsync(ClusterIdentity clusterIdentity, PID pid, CancellationToken ct)
    {
        _cluster.PidCache.RemoveByVal(clusterIdentity, pid);
        return Task.CompletedTask;
    }

    public Task ShutdownAsync() => _activator is null ? Task.CompletedTask : new Draining(_cluster, ActivatorName).RunAsync(_activator);

    public Task<DiagnosticsEntry[]> GetDiagnostics() => PlacementDiagnostics.AskAsync(_cluster, _activator);

    Task<Located> ILocator.LocateAsync(ClusterIdentity clusterIdentity, CancellationToken ct) => LocateAsync(clusterIdentity, ct);

    Task<Located> LocateAsync(ClusterIdentity clusterIdentity, CancellationToken ct) =>
        _questions.AskAsync(_activator!, new ActivationRequest { ClusterIdentity = clusterIdentity }, ct);
}
