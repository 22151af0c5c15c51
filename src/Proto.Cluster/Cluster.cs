using Microsoft.Extensions.Logging;
using Proto.Cluster.Gossip;
using Proto.Cluster.Identity;
using Proto.Cluster.Placement;
using Proto.Remote;

namespace Proto.Cluster;

/// <summary>
/// This system's part in a cluster: it knows the members (told by the cluster provider), hosts activations of its kinds, and reaches
/// virtual actors wherever they are (found by the identity lookup).
/// </summary>
public partial class Cluster : IActorSystemExtension<Cluster>, IActorSystemLifecycle
{
    readonly ILogger _logger;
    readonly Lock _gate = new();
    readonly Dictionary<string, ActivatedClusterKind> _kinds = new(StringComparer.Ordinal);
    readonly TaskCompletionSource _joined = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly TaskCompletionSource _shutdownCompleted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    MemberList? _memberList;
    IClusterContext? _context;

    /// <exception cref="ClusterConfigException">A setting is outside its limits.</exception>
    /// <exception cref="InvalidOperationException">The system has no remoting.</exception>
    public Cluster(ActorSystem system, ClusterConfig config)
    {
        config.Validate();
        System = system;
        Config = config;
        _logger = system.LoggerFactory.CreateLogger<Cluster>();
        Connections = new MemberConnections(system.Config.Runtime);
        Metrics = new ClusterMetrics(system);
        PidCache = new PidCache(system.Config.TimeProvider, config.RemotePidCacheMaxEntries);
        Remote = system.Extensions.Get<IRemote>()
            ?? throw new InvalidOperationException("a cluster needs remoting: add it with WithRemote (or WithClientRemote) before WithCluster");
        Remote.Config.Serialization.RegisterFileDescriptor(ClusterContractsReflection.Descriptor);
        Remote.Config.Serialization.RegisterFileDescriptor(GrainContractsReflection.Descriptor);
        Remote.Config.Serialization.RegisterFileDescriptor(GossipContractsReflection.Descriptor);
        Gossip = new Gossiper(this);
        _stopSteps.Push(new StopStep("remoting", graceful => Remote.ShutdownAsync(graceful)));
        _stopSteps.Push(new StopStep("actor system", _ => ShutdownSystem()));
        system.Extensions.Register(this);
    }

    public ClusterConfig Config { get; }

    public ActorSystem System { get; }

    public IRemote Remote { get; }

    public PidCache PidCache { get; }

    /// <summary>What the members tell each other about themselves.</summary>
    public Gossiper Gossip { get; }

    public IIdentityLookup IdentityLookup => Config.IdentityLookup;

    public IClusterProvider Provider => Config.ClusterProvider;

    /// <exception cref="InvalidOperationException">The cluster was not started.</exception>
    public MemberList MemberList => _memberList ?? throw new InvalidOperationException("the cluster was not started");

    /// <summary>Completes when this system is in the topology; cancelled when it is shut down before.</summary>
    public Task JoinedCluster => _joined.Task.OnThisContext();

    /// <summary>Completes with the last step of the shutdown, whatever the steps did.</summary>
    public Task ShutdownCompleted => _shutdownCompleted.Task.OnThisContext();

    internal MemberConnections Connections { get; }

    internal ClusterMetrics Metrics { get; }

    internal bool IsStopping => _stopping.IsCancellationRequested;

    /// <summary>Ends the OS process, for <see cref="ClusterConfig.ExitOnShutdown"/>.</summary>
    internal Action<int> ExitProcess { get; set; } = Environment.Exit;

    /// <summary>
    /// Starts remoting, gossip, lookup and provider, and waits until the topology has this member in it. When a part fails, everything
    /// that was started is stopped again and its exception is thrown.
    /// </summary>
    /// <exception cref="OperationCanceledException">The cluster was shut down before.</exception>
    /// <exception cref="InvalidOperationException">It was started or shut down already.</exception>
    public Task StartMemberAsync() => StartAsync(isClient: false);

    /// <summary>Starts as a client: it hosts nothing, does not gossip and is no member. Waits for the first topology.</summary>
    /// <inheritdoc cref="StartMemberAsync" path="/exception"/>
    public Task StartClientAsync() => StartAsync(isClient: true);

    /// <summary>The activation's PID, from the cache or from the lookup.</summary>
    public async Task<PID?> GetAsync(ClusterIdentity clusterIdentity, CancellationToken ct)
    {
        if (PidCache.TryGet(clusterIdentity, out var cached)) return cached;
        var epoch = PidCache.Epoch;
        var found = IdentityLookup is ILocator locator
            ? await locator.LocateAsync(clusterIdentity, ct)
            : new Located(await IdentityLookup.GetAsync(clusterIdentity, ct), false, null);
        if (found.Pid is { } pid) PidCache.TryAdd(clusterIdentity, pid, found.Deduplicates, epoch);
        return found.Pid;
    }

    /// <inheritdoc cref="IClusterContext.RequestAsync{T}"/>
    public Task<T> RequestAsync<T>(ClusterIdentity clusterIdentity, object message, ISenderContext context, CancellationToken ct) =>
        (_context ?? throw new InvalidOperationException("the cluster was not started")).RequestAsync<T>(clusterIdentity, message, context, ct)!;

    public string[] GetClusterKinds() => [.. Config.ClusterKinds.Select(kind => kind.Name)];

    /// <exception cref="ArgumentException">This system does not host the kind.</exception>
    public ActivatedClusterKind GetClusterKind(string kind) => TryGetClusterKind(kind)
        ?? throw new ArgumentException($"this system does not host the kind '{kind}'; it hosts: {string.Join(", ", GetClusterKinds())}", nameof(kind));

    public ActivatedClusterKind? TryGetClusterKind(string kind)
    {
        lock (_gate) return _kinds.GetValueOrDefault(kind);
    }

    public ClusterIdentity GetIdentity(string identity, string kind) => ClusterIdentity.Create(identity, kind);

    public async Task<DiagnosticsEntry[]> GetDiagnostics() =>
        [.. await Provider.GetDiagnostics(), .. await IdentityLookup.GetDiagnostics()];

    internal IMemberStrategy StrategyOf(string kind) =>
        TryGetClusterKind(kind)?.Strategy ?? Config.MemberStrategyBuilder(this, kind);
}
