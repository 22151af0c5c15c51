using Proto.Cluster.Identity;
using Proto.Cluster.Placement;

namespace Proto.Cluster.PartitionActivator;

/// <summary>
/// Places each virtual actor on the member that rendezvous hashing names among those that host its kind. While the topology changes, the
/// new owner starts nothing that another member of the topology may still run. There is no storage and no quorum behind it: if a member is
/// taken out of the topology although it lives, its activations and their successors run side by side until it hears of it.
/// For actors that must not, use a lookup with a quorum behind it.
/// </summary>
public sealed class PartitionActivatorLookup : IIdentityLookup, ILocator
{
    internal const string ActivatorName = "$partition-activator";
    internal const int HandOverPageSize = 5000;

    readonly TimeSpan _getPidTimeout;
    Cluster _cluster = null!;
    PlacementQuestions _questions = null!;
    PID? _activator;
    EventStreamSubscription<object>? _topologies;
    volatile PlacementTargets _targets = PlacementTargets.None;

    public PartitionActivatorLookup() : this(TimeSpan.FromSeconds(1)) { }

    /// <param name="getPidTimeout">The longest that one question to an owner may take.</param>
    public PartitionActivatorLookup(TimeSpan getPidTimeout)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(getPidTimeout, TimeSpan.Zero);
        _getPidTimeout = getPidTimeout;
    }

    public Task SetupAsync(Cluster cluster, string[] kinds, bool isClient)
    {
        _cluster = cluster;
        _questions = new PlacementQuestions(cluster, _getPidTimeout);
        cluster.Remote.Config.Serialization.RegisterFileDescriptor(PlacementContractsReflection.Descriptor);
        _topologies = cluster.System.EventStream.Subscribe<ClusterTopology>(
            topology => { _targets = new PlacementTargets(new PlacementView(topology.Members), ActivatorName); });
        if (isClient) return Task.CompletedTask;

        var props = PartitionActivatorActor.Props(cluster, _getPidTimeout, HandOverPageSize);
        _activator = cluster.System.Root.SpawnNamedSystem(props, ActivatorName);
        return Task.CompletedTask;
    }

    public async Task<PID?> GetAsync(ClusterIdentity clusterIdentity, CancellationToken ct) => (await LocateAsync(clusterIdentity, ct)).Pid;

    public Task RemovePidAsync(ClusterIdentity clusterIdentity, PID pid, CancellationToken ct)
    {
        _cluster.PidCache.RemoveByVal(clusterIdentity, pid);
        return Task.CompletedTask;
    }

    public async Task ShutdownAsync()
    {
        if (_activator is not null) await new Draining(_cluster, ActivatorName).RunAsync(_activator);
        _topologies?.Unsubscribe();
    }

    public Task<DiagnosticsEntry[]> GetDiagnostics() => PlacementDiagnostics.AskAsync(_cluster, _activator);

    Task<Located> ILocator.LocateAsync(ClusterIdentity clusterIdentity, CancellationToken ct) => LocateAsync(clusterIdentity, ct);

    Task<Located> LocateAsync(ClusterIdentity clusterIdentity, CancellationToken ct)
    {
        var targets = _targets;
        return targets.View.HostOf(clusterIdentity) is { } owner
            ? _questions.AskAsync(targets.At(owner), new ActivationRequest { ClusterIdentity = clusterIdentity, TopologyHash = targets.View.Hash }, ct)
            : Task.FromResult(Located.Nowhere($"no member hosts the kind '{clusterIdentity.Kind}'"));
    }
}
