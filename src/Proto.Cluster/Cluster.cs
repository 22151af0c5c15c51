using Microsoft.Extensions.Logging;
using Proto.Cluster.Identity;
using Proto.Cluster.Placement;
using Proto.Remote;

namespace Proto.Cluster;

/// <summary>
/// This system's part in a cluster: it knows the members (told by the cluster provider), hosts activations of its kinds, and reaches
/// virtual actors wherever they are (found by the identity lookup).
/// </summary>
public partial class Cluster : IActorSystemExtension<Cluster>
{
    static readonly TimeSpan TellWaiting = TimeSpan.FromSeconds(10);

    readonly ILogger _logger;
    readonly Lock _gate = new();
    readonly Dictionary<string, ActivatedClusterKind> _kinds = new(StringComparer.Ordinal);
    readonly TaskCompletionSource _joined = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly TaskCompletionSource _shutdownCompleted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly List<Action> _unsubscribe = [];
    MemberList? _memberList;
    IClusterContext? _context;
    ITimer? _cacheTimer;
    State _state;

    enum State
    {
        New,
        Started,
        Stopping,
    }

    public Cluster(ActorSystem system, ClusterConfig config)
    {
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
        system.Extensions.Register(this);
    }

    public ClusterConfig Config { get; }

    public ActorSystem System { get; }

    public IRemote Remote { get; }

    public PidCache PidCache { get; }

    public IIdentityLookup IdentityLookup => Config.IdentityLookup;

    public IClusterProvider Provider => Config.ClusterProvider;

    /// <exception cref="InvalidOperationException">The cluster was not started.</exception>
    public MemberList MemberList => _memberList ?? throw new InvalidOperationException("the cluster was not started");

    /// <summary>Completes when this system is in the topology; cancelled when it is shut down before.</summary>
    public Task JoinedCluster => _joined.Task.OnThisContext();

    public Task ShutdownCompleted => _shutdownCompleted.Task.OnThisContext();

    internal MemberConnections Connections { get; }

    internal ClusterMetrics Metrics { get; }

    /// <summary>Starts remoting, lookup and provider, and waits until the topology has this member in it.</summary>
    /// <exception cref="OperationCanceledException">The cluster was shut down before.</exception>
    public Task StartMemberAsync() => StartAsync(isClient: false);

    /// <summary>Starts as a client: it hosts nothing and is no member. Waits for the first topology.</summary>
    /// <exception cref="OperationCanceledException">The cluster was shut down before.</exception>
    public Task StartClientAsync() => StartAsync(isClient: true);

    /// <summary>Leaves and stops. Each step may take <see cref="ClusterConfig.ShutdownStepTimeout"/> at most, and the next follows whatever it did.</summary>
    public async Task ShutdownAsync(bool graceful = true, string reason = "")
    {
        State before;
        lock (_gate)
        {
            before = _state;
            _state = State.Stopping;
        }

        if (before == State.Stopping)
        {
            await _shutdownCompleted.Task;
            return;
        }

        LogStopping(_logger, System.Address, reason);
        _joined.TrySetCanceled();
        _memberList?.Stop();
        if (before == State.Started)
        {
            // In this order: the others start its virtual actors anew as soon as this member has left.
            await StepAsync("identity lookup", IdentityLookup.ShutdownAsync);
            await StepAsync("cluster provider", () => Provider.ShutdownAsync(graceful));
        }

        if (_cacheTimer is not null) await _cacheTimer.DisposeAsync();
        foreach (var unsubscribe in _unsubscribe) unsubscribe();
        await StepAsync("actor system", () => System.ShutdownAsync(reason));
        await StepAsync("remoting", () => Remote.ShutdownAsync(graceful));
        LogStopped(_logger, System.Address);
        _shutdownCompleted.TrySetResult();
        if (Config.ExitOnShutdown) Environment.Exit(0);
    }

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

    async Task StartAsync(bool isClient)
    {
        lock (_gate)
        {
            if (_state != State.New) throw new InvalidOperationException("a cluster is started once");
            _state = State.Started;
        }

        await Remote.StartAsync();
        if (!isClient) ActivateKinds();
        _memberList = new MemberList(this, isClient);
        Subscribe();
        _context = Config.ClusterContextProducer(this);
        if (!isClient) System.Root.SpawnNamedSystem(Props.FromProducer(() => new EventStreamActor()), EventStreamActor.Name);
        await IdentityLookup.SetupAsync(this, isClient ? [] : GetClusterKinds(), isClient);
        if (isClient) await Provider.StartClientAsync(this);
        else await Provider.StartMemberAsync(this);
        await WaitForTopologyAsync();
        if (_joined.TrySetResult()) LogJoined(_logger, System.Address, Config.ClusterName);
    }

    async Task WaitForTopologyAsync()
    {
        var started = MemberList.Started.OnThisContext();
        while (!started.IsCompleted)
        {
            try
            {
                await started.WaitAsync(TellWaiting, System.Config.TimeProvider, System.Shutdown);
            }
            catch (TimeoutException)
            {
                LogWaiting(_logger, System.Address);
            }
        }

        await started;
    }

    void ActivateKinds()
    {
        foreach (var kind in Config.ClusterKinds)
        {
            var strategy = kind.StrategyBuilder?.Invoke(this);
            lock (_gate) _kinds[kind.Name] = new ActivatedClusterKind(kind.Name, kind.Props, strategy, kind.CanSpawnIdentity);
        }
    }

    void Subscribe()
    {
        var topology = System.EventStream.Subscribe<ClusterTopology>(change =>
        {
            foreach (var left in change.Left) PidCache.RemoveByMember(left);
        });
        var terminated = System.EventStream.Subscribe<EndpointTerminatedEvent>(lost =>
        {
            if (lost.Address is { } address) PidCache.RemoveByAddress(address);
            Connections.Lost(lost);
        });
        var ending = System.EventStream.Subscribe<ActivationTerminating>(activation => PidCache.Ended(activation.ClusterIdentity, activation.Pid));
        var ended = System.EventStream.Subscribe<ActivationTerminated>(activation => PidCache.Ended(activation.ClusterIdentity, activation.Pid));
        _unsubscribe.AddRange([topology.Unsubscribe, terminated.Unsubscribe, ending.Unsubscribe, ended.Unsubscribe]);
        _cacheTimer = System.Config.TimeProvider.CreateTimer(
            _ => PidCache.RemoveIdle(Config.RemotePidCacheTimeToLive), null, Config.RemotePidCacheClearInterval, Config.RemotePidCacheClearInterval);
    }

    async Task StepAsync(string step, Func<Task> stop)
    {
        try
        {
            await System.Config.Runtime.Run(stop).WaitAsync(Config.ShutdownStepTimeout, System.Config.TimeProvider);
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            LogStepFailed(_logger, failure, step);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Address} joined the cluster '{ClusterName}'")]
    static partial void LogJoined(ILogger logger, string address, string clusterName);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Address} waits for a topology that it is part of")]
    static partial void LogWaiting(ILogger logger, string address);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Address} leaves the cluster: {Reason}")]
    static partial void LogStopping(ILogger logger, string address, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Address} has left the cluster")]
    static partial void LogStopped(ILogger logger, string address);

    [LoggerMessage(Level = LogLevel.Error, Message = "Shutdown of the {Step} did not complete; going on")]
    static partial void LogStepFailed(ILogger logger, Exception failure, string step);
}
