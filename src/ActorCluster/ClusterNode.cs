using System.Buffers.Binary;
using System.Security.Cryptography;
using ActorCluster.Admin;
using ActorCluster.Grains.Actors;
using ActorCluster.Keyspace;
using ActorCluster.Keyspace.Actors;
using ActorCluster.Membership;
using ActorCluster.Membership.Actors;
using ActorCluster.Membership.Storage;
using ActorCluster.Protocol;
using ActorCluster.Protocol.Admin;
using ActorCluster.Protocol.Keyspace;
using ActorCluster.Protocol.Membership;
using ActorCluster.Protocol.Raft;
using ActorCluster.Raft;
using ActorCluster.Raft.Actors;
using ActorCluster.Raft.Storage;
using Microsoft.Extensions.Logging;
using Proto;
using Proto.Cluster;
using Proto.Remote;
using Proto.Remote.GrpcNet;

namespace ActorCluster;

/// <summary>
/// One node, put together: identity, storage, remoting, consensus, membership, key space, virtual actors, admin actor.
/// Started once, stopped once.
/// </summary>
public sealed partial class ClusterNode : IAsyncDisposable
{
    readonly ActorClusterOptions _options;
    readonly ClusterNodeSetup _setup;
    readonly ILogger _logger;
    readonly TaskCompletionSource _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>How many of the first steps of <see cref="_undo"/> belong to the disk: identity with the directory's lock, log, log writer.</summary>
    const int DiskSteps = 3;

    /// <summary>How to stop what was started, last started first.</summary>
    readonly Stack<Func<Task>> _undo = new();

    RaftHost _raft = null!;
    GrainRuntime _runtime = null!;
    MembershipService _membership = null!;
    int _stopping;

    /// <param name="options">Settings; see <see cref="ActorClusterOptionsValidator"/>.</param>
    /// <param name="setup">What an application brings: kinds, time, logging.</param>
    /// <exception cref="ActorClusterOptionsException">Settings are missing or wrong; all are named.</exception>
    public ClusterNode(ActorClusterOptions options, ClusterNodeSetup setup)
    {
        ActorClusterOptionsValidator.ThrowIfWrong(options);
        _options = options;
        _setup = setup;
        _logger = setup.Loggers.CreateLogger<ClusterNode>();
    }

    public string Name => _options.Name;

    /// <summary>Of this node's data directory. After <see cref="StartAsync"/>.</summary>
    public NodeUid Uid { get; private set; }

    /// <summary>The engine's cluster: <c>Cluster.RequestAsync&lt;T&gt;(identity, kind, message, ct)</c>. After <see cref="StartAsync"/>.</summary>
    public Cluster Cluster { get; private set; } = null!;

    /// <summary>The engine. After <see cref="StartAsync"/>.</summary>
    public ActorSystem System { get; private set; } = null!;

    /// <summary>Keys and values. After <see cref="StartAsync"/>.</summary>
    public KvRouter Kv => _runtime.Kv;

    /// <summary>Calls of replicated grains with retries and sessions. After <see cref="StartAsync"/>.</summary>
    public GrainClient Grains => _runtime.Grains;

    /// <summary>Who is a member. After <see cref="StartAsync"/>.</summary>
    public MembershipService Membership => _membership;

    /// <summary>This node's replicas, also those that it is not to have any more. After <see cref="StartAsync"/>.</summary>
    public IReadOnlyList<IReplicaGroup> Groups => _raft.Groups;

    /// <summary>Completes once this node is Up in a cluster.</summary>
    public Task Joined => _membership.Joined;

    /// <summary>
    /// Faults when the node must stop: its disk failed a write or a sync, a broken invariant, a copied data directory. From
    /// then on nothing is acknowledged any more.
    /// </summary>
    public Task Failed => _failed.Task;

    public Members Members() => AdminReports.Members(Picture());

    public Protocol.Admin.Groups GroupReport() => AdminReports.Groups(Picture());

    public Partitions Partitions() => AdminReports.Partitions(Picture());

    /// <summary>
    /// Starts everything and returns; <see cref="Joined"/> tells when the node is Up (that needs others). Throws when the
    /// data directory, the log or the address cannot be had; nothing of the node is left then.
    /// </summary>
    /// <exception cref="StorageException">The data directory is in use, unreadable or damaged.</exception>
    public async Task StartAsync()
    {
        try
        {
            var (identity, storage) = OpenData();
            var writer = Own(new LogWriter(storage.Log, time: _setup.Time));
            await StartRemotingAsync().ConfigureAwait(false);
            Assemble(identity, storage, writer);
            LogStarted(Name, Uid, identity.Incarnation, System.Address);
            _ = JoinAsync();
        }
        catch
        {
            await StopAsync().ConfigureAwait(false);
            throw;
        }
    }

    (NodeIdentityStore Identity, NodeStorage Storage) OpenData()
    {
        var identity = Own(NodeIdentityStore.Open(_setup.Files, _options.DataDirectory, Chance()));
        Uid = identity.Uid;

        // A node belongs to a cluster only after its log was made, so a missing one is lost, and with it what its replicas promised.
        var storage = Own(NodeStorage.Open(_setup.Files, _options.DataDirectory, ranBefore: identity.ClusterId.Length > 0));
        foreach (var damage in storage.Damages) LogDamaged(Name, damage);
        return (identity, storage);
    }

    async Task StartRemotingAsync()
    {
        var listen = HostPort.Parse(_options.Listen);
        var advertised = HostPort.Parse(_options.AdvertisedAddress);
        var remote = (listen.IsAnyAddress ? GrpcNetRemoteConfig.BindToAllInterfaces(null, listen.Port) : GrpcNetRemoteConfig.BindTo(listen.Host, listen.Port))
            .WithAdvertisedHost(advertised.Host)
            .WithAdvertisedPort(advertised.Port == 0 ? null : advertised.Port)
            .WithClientFilter(NodeClientAccess.Allows)
            .WithProtoMessages(OutcomeReflection.Descriptor, AdminReflection.Descriptor, RaftReflection.Descriptor);
        System = new ActorSystem(_setup.ConfigureSystem(ActorSystemConfig.Setup())).WithRemote(remote);
        _undo.Push(() => System.ShutdownAsync("the node stops"));
        await System.Remote().StartAsync().ConfigureAwait(false);
        _undo.Push(() => System.Remote().ShutdownAsync());
    }

    void Assemble(NodeIdentityStore identity, NodeStorage storage, LogWriter writer)
    {
        var directory = new NodeDirectory();
        _raft = new RaftHost(System, Uid, writer, storage.Snapshots, directory, RaftSettings(), _setup.Time, Chance(), _setup.Loggers);
        _membership = new MembershipService(
            System, identity, MembershipSettings(), CoordinatorGroup.On(_raft, storage.Groups), [new PartitionMapPart()],
            _setup.Time, Chance(), _setup.Loggers, directory);
        _runtime = new GrainRuntime(
            Uid, Name, _setup.Kinds, new KeyspaceOptions { RequestTimeout = _options.RequestTimeout },
            new GrainOptions { Idle = _options.GrainIdle, RequestTimeout = _options.RequestTimeout }, _setup.Time, Chance());
        foreach (var file in _runtime.Files) System.Remote().Config.Serialization.RegisterFileDescriptor(file);
        Watch(_raft.Failed);
        Watch(_membership.Failed);
        System.EventStream.Subscribe<HostActorFailed>(failed => Fail(failed.Error));

        var provider = new ActorClusterProvider(_membership, _setup.Time, _setup.Loggers);
        var config = ClusterConfig.Setup("actorcluster", provider, _runtime.Lookup)
            .WithActorRequestTimeout(_options.RequestTimeout)
            .WithClusterKinds([.. _runtime.ClusterKinds, .. _setup.PlainKinds]);
        System.WithCluster(config);
        Cluster = System.Cluster();
        _runtime.Start(System, OpenReplica(storage), ReportSettled);
        _undo.Push(() => Cluster.ShutdownAsync(reason: "the node stops"));
        _undo.Push(_raft.StopAsync);
        _undo.Push(_runtime.StopAsync);
        _membership.Changed += _runtime.Update;
        System.Root.SpawnNamed(Props.FromProducer(() => new AdminActor(Picture, _setup.Time)), AdminActor.Name);
        System.Root.SpawnNamed(Props.FromProducer(() => new PlacementActor(PlacementServices())), PlacementActor.ActorName);
        System.Root.SpawnNamed(Props.FromProducer(() => new LeaderScout(_runtime.State, _setup.Time)), LeaderScout.Name);
    }

    PlacementActor.Services PlacementServices() => new(
        () => _membership.Current,
        () => _membership.Coordinator?.Status is { Role: RaftRole.Leader, LeaderReady: true },
        (command, ct) => _membership.ProposeAsync(PartitionMapPart.PartName, command, ct),
        new PlacementOptions(),
        _options.PlacementInterval,
        _setup.Time);

    /// <summary>To all who may lead the coordinator group: only the one who does acts on it.</summary>
    void ReportSettled(ReplicasSettled settled)
    {
        var members = _membership.Current;
        foreach (var voter in members.CoordinatorVoters)
        {
            if (members.Find(voter) is { State: MemberState.Up or MemberState.Leaving } member)
                System.Root.Send(PID.FromAddress(member.Address, PlacementActor.ActorName), settled);
        }
    }

    /// <summary>Opens what the log holds of a group; a group that it does not hold is new on this node.</summary>
    OpenReplica OpenReplica(NodeStorage storage) => (group, voters, machine) =>
    {
        try
        {
            if (storage.Groups.FirstOrDefault(g => g.Group == group) is { } recovered) return _raft.Start(recovered, () => machine);
            var config = new GroupConfig();
            config.Voters.AddRange(voters.Select(v => v.Value));
            return _raft.Start(group, config, () => machine);
        }
        catch (Exception e) when (e is StorageException or IOException or InvalidDataException or InvariantViolationException)
        {
            Fail(e);
            throw;
        }
    };

    async Task JoinAsync()
    {
        try
        {
            await Cluster.StartMemberAsync().ConfigureAwait(false);
            LogJoined(Name, _membership.ClusterId);
        }
        catch (OperationCanceledException) when (Volatile.Read(ref _stopping) != 0)
        {
            LogNeverJoined(Name);
        }
        catch (Exception e)
        {
            Fail(e);
        }
    }

    /// <summary>
    /// Stops: activations first, then leadership is handed over, the others are told, and the log is closed last. Takes
    /// <see cref="ActorClusterOptions.ShutdownTimeout"/> at the most for each part and always completes.
    /// </summary>
    public async Task StopAsync()
    {
        if (Interlocked.Exchange(ref _stopping, 1) != 0) return;
        while (_undo.TryPop(out var undo))
        {
            var ended = await StepAsync(undo).ConfigureAwait(false);

            // A log writer that hangs on its disk may still write: its files and the directory's lock are kept until the process ends.
            if (!ended && _undo.Count < DiskSteps) break;
        }

        LogStopped(Name);
    }

    public async ValueTask DisposeAsync() => await StopAsync().ConfigureAwait(false);

    /// <returns>False when the step was still running after its time.</returns>
    async Task<bool> StepAsync(Func<Task> step)
    {
        try
        {
            await step().WaitAsync(_options.ShutdownTimeout, _setup.Time).ConfigureAwait(false);
            return true;
        }
        catch (Exception e)
        {
            // The rest must be stopped all the same; nothing that was acknowledged depends on this step.
            LogStepFailed(e, Name);
            return e is not TimeoutException;
        }
    }

    ClusterPicture Picture()
    {
        var state = _runtime.State;
        var forming = _membership.Forming;
        var formed = _membership.ClusterId.Length > 0;
        return new ClusterPicture(
            Name, formed, formed ? [] : [.. forming.Missing, .. forming.Problems], _membership.Current, state.Map,
            [.. _raft.Groups.Where(g => !g.IsRetired).Select(g => g.Status)], partition => LeaderKnowledge.Of(state, partition));
    }

    MembershipOptions MembershipSettings() => new()
    {
        Name = Name,
        HttpAddress = _options.AdvertisedHttp,
        Version = typeof(ClusterNode).Assembly.GetName().Version?.ToString(3) ?? "",
        Seeds = [.. _options.Seeds],
        Expect = _options.Expect,
        Partitions = _options.Partitions,
        ReplicationFactor = _options.ReplicationFactor,
        Gossip = new GossipOptions(IntervalMs: (int)_options.GossipInterval.TotalMilliseconds),
        Detector = new DetectorOptions(ProbeMs: (int)_options.ProbeInterval.TotalMilliseconds, Misses: _options.ProbeMisses),
        Policy = new CoordinatorPolicyOptions(GraceMs: (long)_options.GracePeriod.TotalMilliseconds),
    };

    RaftOptions RaftSettings() => new()
    {
        Tick = _options.Tick,
        HeartbeatTicks = _options.HeartbeatTicks,
        ElectionTicks = _options.ElectionTicksMin,
        SnapshotEntries = _options.SnapshotEntries,
        ScratchDirectory = Path.Combine(_options.DataDirectory, "scratch"),
    };

    void Watch(Task task) => _ = task.ContinueWith(
        failed => Fail(failed.Exception!.GetBaseException()), CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);

    void Fail(Exception error)
    {
        if (Volatile.Read(ref _stopping) == 0 && _failed.TrySetException(error)) LogFailed(error, Name);
    }

    T Own<T>(T resource) where T : IDisposable
    {
        _undo.Push(() => Task.Run(resource.Dispose)); // may block for as long as the disk does
        return resource;
    }

    /// <summary>A generator of its own for each part, seeded by the system: the edge at which chance enters a node.</summary>
    static Xoshiro256 Chance() => new(BinaryPrimitives.ReadUInt64LittleEndian(RandomNumberGenerator.GetBytes(sizeof(ulong))));

    [LoggerMessage(Level = LogLevel.Information, Message = "{Name} started: uid {Uid}, incarnation {Incarnation}, at {Address}")]
    partial void LogStarted(string name, NodeUid uid, ulong incarnation, string address);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Name}: its disk lost what was durable: {Damage}")]
    partial void LogDamaged(string name, LogDamage damage);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Name} is Up in cluster {ClusterId}")]
    partial void LogJoined(string name, string clusterId);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Name} stops before it was Up in a cluster")]
    partial void LogNeverJoined(string name);

    [LoggerMessage(Level = LogLevel.Critical, Message = "{Name} must stop: nothing is acknowledged any more")]
    partial void LogFailed(Exception error, string name);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Name}: a step of the shutdown did not end well; going on with the next")]
    partial void LogStepFailed(Exception error, string name);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Name} stopped")]
    partial void LogStopped(string name);
}
