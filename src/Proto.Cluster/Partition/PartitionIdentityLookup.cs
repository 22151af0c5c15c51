using Proto.Cluster.Identity;
using Proto.Cluster.Placement;

namespace Proto.Cluster.Partition;

/// <summary>
/// Each identity has an owner, which rendezvous hashing names among all members. The owner remembers where the identity is activated, and
/// chooses that member by the kind's <see cref="IMemberStrategy"/>. Activations stay where they are when the topology changes; what moves is
/// who remembers them. A new owner activates nothing before every member of the topology has told what it hosts. There is no storage and
/// no quorum behind it: if a member is taken out of the topology although it lives, its activations and their successors run side by
/// side until it hears of it.
/// </summary>
public sealed class PartitionIdentityLookup : IIdentityLookup, ILocator
{
    internal const string DirectoryName = "$partition-identity";
    internal const string PlacementName = "$partition-activator";

    readonly PartitionConfig _config;
    Cluster _cluster = null!;
    PlacementQuestions _questions = null!;
    PID? _directory;
    PID? _placement;
    EventStreamSubscription<object>? _topologies;
    volatile PlacementTargets _targets = PlacementTargets.None;

    /// <summary>Which side begins a hand-over in Proto.Actor; see <see cref="PartitionConfig.Mode"/>.</summary>
    public enum Mode
    {
        Pull,
        Push,
    }

    /// <summary>What a hand-over tells in Proto.Actor; see <see cref="PartitionConfig.Send"/>.</summary>
    public enum Send
    {
        Full,
        Delta,
    }

    public PartitionIdentityLookup() : this(new PartitionConfig()) { }

    /// <exception cref="ArgumentOutOfRangeException">A setting is not positive.</exception>
    public PartitionIdentityLookup(PartitionConfig? config)
    {
        _config = config ?? new PartitionConfig();
        _config.ThrowIfWrong();
    }

    /// <param name="identityHandoverTimeout">See <see cref="PartitionConfig.RebalanceRequestTimeout"/>.</param>
    /// <param name="getPidTimeout">See <see cref="PartitionConfig.GetPidTimeout"/>.</param>
    public PartitionIdentityLookup(TimeSpan identityHandoverTimeout, TimeSpan getPidTimeout)
        : this(new PartitionConfig { RebalanceRequestTimeout = identityHandoverTimeout, GetPidTimeout = getPidTimeout }) { }

    public Task SetupAsync(Cluster cluster, string[] kinds, bool isClient)
    {
        _cluster = cluster;
        _questions = new PlacementQuestions(cluster, _config.GetPidTimeout);
        cluster.Remote.Config.Serialization.RegisterFileDescriptor(PlacementContractsReflection.Descriptor);
        _topologies = cluster.System.EventStream.Subscribe<ClusterTopology>(
            topology => { _targets = new PlacementTargets(new PlacementView(topology.Members), DirectoryName); });
        if (isClient) return Task.CompletedTask;

        _placement = cluster.System.Root.SpawnNamedSystem(PartitionPlacementActor.Props(cluster, _config), PlacementName);
        _directory = cluster.System.Root.SpawnNamedSystem(Props.FromProducer(() => new PartitionIdentityActor(cluster, _config)), DirectoryName);
        return Task.CompletedTask;
    }

    public async Task<PID?> GetAsync(ClusterIdentity clusterIdentity, CancellationToken ct) => (await LocateAsync(clusterIdentity, ct)).Pid;

    /// <summary>The owner asks the activation's member before it gives out this PID again.</summary>
    public Task RemovePidAsync(ClusterIdentity clusterIdentity, PID pid, CancellationToken ct)
    {
        _cluster.PidCache.RemoveByVal(clusterIdentity, pid);
        var targets = _targets;
        if (targets.View.DirectoryOf(clusterIdentity) is { } owner)
        {
            _cluster.System.Root.Send(targets.At(owner), new SuspectActivation { Activation = new Activation { ClusterIdentity = clusterIdentity, Pid = pid } });
        }

        return Task.CompletedTask;
    }

    public async Task ShutdownAsync()
    {
        if (_placement is not null) await new Draining(_cluster, PlacementName).RunAsync(_placement);
        if (_directory is not null) await _cluster.System.Root.StopAsync(_directory);
        _topologies?.Unsubscribe();
    }

    public async Task<DiagnosticsEntry[]> GetDiagnostics() =>
        [.. await PlacementDiagnostics.AskAsync(_cluster, _directory), .. await PlacementDiagnostics.AskAsync(_cluster, _placement)];

    Task<Located> ILocator.LocateAsync(ClusterIdentity clusterIdentity, CancellationToken ct) => LocateAsync(clusterIdentity, ct);

    Task<Located> LocateAsync(ClusterIdentity clusterIdentity, CancellationToken ct)
    {
        var targets = _targets;
        return targets.View.DirectoryOf(clusterIdentity) is { } owner
            ? _questions.AskAsync(targets.At(owner), new ActivationRequest { ClusterIdentity = clusterIdentity, TopologyHash = targets.View.Hash }, ct)
            : Task.FromResult(Located.Nowhere("the cluster has no members yet"));
    }
}
