using ActorCluster.Membership.Storage;
using ActorCluster.Protocol;
using ActorCluster.Protocol.Membership;
using ActorCluster.Raft;
using ActorCluster.Raft.Actors;
using Google.Protobuf;
using Microsoft.Extensions.Logging;
using Proto;
using Proto.Remote;
using Failure = ActorCluster.Protocol.Failure;

namespace ActorCluster.Membership.Actors;

/// <summary>The node was removed by the cluster while it lives, and asks to join again under a newer incarnation. What it hosted is void.</summary>
public sealed record RejoiningAfterRemoval(string Reason, ulong RemovedIncarnation, ulong Incarnation) : MembershipEvent;

/// <summary>
/// Membership of one node: starts its actors, holds the newest picture for readers, and publishes every
/// <see cref="MembershipEvent"/> on the actor system's event stream. Safe from any thread.
/// </summary>
public sealed partial class MembershipService : IAsyncDisposable
{
    /// <summary>The actor that nodes talk with about membership; it answers <c>GetTopology</c> of clients too.</summary>
    public const string ActorName = MembershipActor.Name;

    /// <summary>The actor by which nodes watch each other.</summary>
    public const string ProbeName = ProbeActor.Name;

    readonly ActorSystem _system;
    readonly NodeIdentityStore _store;
    readonly StartCoordinatorGroup _startGroup;
    readonly IReadOnlyList<ICoordinatorPart> _parts;
    readonly TimeProvider _time;
    readonly IRandomSource _random;
    readonly ILogger _logger;
    readonly Lock _gate = new();
    readonly TaskCompletionSource<string> _formed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly TaskCompletionSource _joined = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly TaskCompletionSource _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    volatile MembershipSnapshot _current;
    volatile FormingStatus _forming;
    volatile IReplicaGroup? _coordinator;
    ulong _incarnation;
    PID? _pid;
    bool _stopped;

    /// <param name="system">With remoting; started before <see cref="Start"/>.</param>
    /// <param name="store">The node's identity.</param>
    /// <param name="options">What the node is and wants.</param>
    /// <param name="startGroup">Starts the coordinator's replica on a voter.</param>
    /// <param name="parts">Parts of the coordinator's state that other projects bring.</param>
    /// <param name="time">All timers and clocks.</param>
    /// <param name="random">All chance: peers, back-off, a new cluster's id.</param>
    /// <param name="loggers">Where state changes are logged.</param>
    /// <param name="directory">Gets to know where nodes are; one of its own when none is given.</param>
    public MembershipService(
        ActorSystem system,
        NodeIdentityStore store,
        MembershipOptions options,
        StartCoordinatorGroup startGroup,
        IEnumerable<ICoordinatorPart> parts,
        TimeProvider time,
        IRandomSource random,
        ILoggerFactory loggers,
        NodeDirectory? directory = null)
    {
        _system = system;
        _store = store;
        Options = options;
        Directory = directory ?? new NodeDirectory();
        _startGroup = startGroup;
        _parts = [.. parts];
        _time = time;
        _random = random;
        _logger = loggers.CreateLogger<MembershipService>();
        _incarnation = store.Incarnation;
        _current = MembershipSnapshot.Empty(store.Uid);
        _forming = new FormingStatus(store.ClusterId.Length > 0 ? FormingPhase.Formed : FormingPhase.Waiting, options.Expect, [options.Name], [], []);
        var serialization = system.Remote().Config.Serialization;
        serialization.RegisterFileDescriptor(OutcomeReflection.Descriptor);
        serialization.RegisterFileDescriptor(MembershipReflection.Descriptor);
    }

    public MembershipOptions Options { get; }

    public NodeUid Uid => _store.Uid;

    /// <summary>Of this process; rises when the node rejoins after a removal.</summary>
    public ulong Incarnation
    {
        get => Volatile.Read(ref _incarnation);
        internal set => Volatile.Write(ref _incarnation, value);
    }

    /// <summary>Empty before the node belongs to a cluster.</summary>
    public string ClusterId => _store.ClusterId;

    /// <summary>The table as last seen.</summary>
    public MembershipSnapshot Current => _current;

    /// <summary>Where forming or joining stands: who is missing, what is refused.</summary>
    public FormingStatus Forming
    {
        get => _forming;
        internal set => _forming = value;
    }

    /// <summary>Where nodes are.</summary>
    public NodeDirectory Directory { get; }

    /// <summary>This node's replica of the coordinator group; null on a node that is no voter, and before it is formed.</summary>
    public IReplicaGroup? Coordinator
    {
        get => _coordinator;
        internal set => _coordinator = value;
    }

    /// <summary>Completes with the cluster's id once the node belongs to one.</summary>
    public Task<string> Formed => _formed.Task;

    /// <summary>Completes once this node is Up.</summary>
    public Task Joined => _joined.Task;

    /// <summary>Fails when the node must stop: a write that failed, a broken invariant, a copied data directory.</summary>
    public Task Failed => _failed.Task;

    /// <summary>Called with every new picture, in order, on the membership actor's thread: must not block.</summary>
    public event Action<MembershipSnapshot>? Changed;

    /// <summary>Begins to look for a cluster, or to form one. Returns at once. A second call does nothing.</summary>
    /// <param name="kinds">The cluster kinds that the node hosts.</param>
    public void Start(IEnumerable<string> kinds)
    {
        lock (_gate)
        {
            if (_pid is not null || _stopped) return;
            var self = new NodeInfo
            {
                Uid = _store.Uid.Value,
                Incarnation = _store.Incarnation,
                Name = Options.Name,
                Address = _system.Address,
                HttpAddress = Options.HttpAddress,
                SystemId = _system.Id,
                Version = Options.Version,
            };
            self.Kinds.Add(kinds.Order(StringComparer.Ordinal));
            var clock = new MonotonicClock(_time);
            var driver = new CoordinatorDriver(this, _startGroup, _parts, Options.Policy, _time);
            _pid = _system.Root.SpawnNamed(
                Props.FromProducer(() => new MembershipActor(this, self, _store, _random, clock, driver)), MembershipActor.Name);
        }
    }

    /// <summary>
    /// Leaves for good: Leaving, then Removed. To come back the node has to join again.
    /// </summary>
    /// <exception cref="MembershipException">The coordinator refused, or had no quorum.</exception>
    public async Task LeaveAsync(CancellationToken ct)
    {
        if (_pid is null) throw new InvalidOperationException("membership was not started");
        var reply = await _system.Root.RequestAsync<LeaveReply>(_pid, new LeaveRequest { Uid = Uid.Value }, ct).ConfigureAwait(false);
        if (reply.Failure is { } failure) throw new MembershipException(failure);
    }

    /// <summary>Proposes a command of a registered part to the coordinator group; only where <see cref="Coordinator"/> leads.</summary>
    public Task<ProposalResult> ProposeAsync(string part, IMessage command, CancellationToken ct)
    {
        if (_coordinator is not { } group) throw new InvalidOperationException("this node is no voter of the coordinator group");
        var envelope = new CoordinatorCommand
        {
            ClusterId = ClusterId,
            Part = new CoordinatorPartCommand { Part = part, Payload = command.ToByteString() },
        };
        return group.ProposeAsync(envelope.ToByteString(), ct);
    }

    /// <summary>
    /// Stops. With <paramref name="announce"/> the others are told, and treat the node as Unreachable at once; it stays a
    /// member, and is back with its next start.
    /// </summary>
    public async Task StopAsync(bool announce = true)
    {
        PID? pid;
        lock (_gate)
        {
            if (_stopped) return;
            _stopped = true;
            pid = _pid;
        }

        if (pid is not null)
        {
            if (announce) await AnnounceAsync(pid).ConfigureAwait(false);
            await _system.Root.StopAsync(pid).ConfigureAwait(false);
            await _system.Root.StopAsync(PID.FromAddress(_system.Address, ProbeActor.Name)).ConfigureAwait(false);
        }

        _formed.TrySetCanceled();
        _joined.TrySetCanceled();
    }

    async Task AnnounceAsync(PID pid)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(2), _time);
        try
        {
            await _system.Root.RequestAsync<StopAnnounced>(pid, new AnnounceStop(), patience.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException or DeadLetterException)
        {
            LogNotAnnounced(e); // the others will find out by probing
        }
    }

    public async ValueTask DisposeAsync() => await StopAsync(announce: false).ConfigureAwait(false);

    internal void BelongsTo(string clusterId)
    {
        if (_formed.TrySetResult(clusterId)) LogBelongs(clusterId, Options.Name);
    }

    internal void Publish(MembershipSnapshot snapshot)
    {
        _current = snapshot;
        if (snapshot.Find(Uid) is { State: MemberState.Up }) _joined.TrySetResult();
        Changed?.Invoke(snapshot);
    }

    internal void Publish(MembershipEvent happened)
    {
        switch (happened)
        {
            case MemberStateChanged change: LogState(change.Name, change.Previous, change.Current, change.Incarnation, change.View, change.Evidence); break;
            case MemberRestarted restarted: LogRestarted(restarted.Name, restarted.PreviousIncarnation, restarted.Incarnation); break;
            case AuthorityConflict conflict: LogConflict(conflict.Requested, conflict.Address, conflict.Reason); break;
            case SelfRefuted refuted: LogRefuted(Directory.NameOf(refuted.Observer), refuted.Evidence); break;
            case ViewConflict or ClusterMismatch or IllegalTransitionRefused: LogOdd(happened); break;
        }

        _system.EventStream.Publish(happened);
    }

    internal void Fail(Exception failure)
    {
        LogFailed(failure);
        _failed.TrySetException(failure);
        _joined.TrySetException(failure);
        _formed.TrySetException(failure);
    }
}

/// <summary>A membership request that was refused or whose end is not known.</summary>
public sealed class MembershipException(Failure failure) : Exception(failure.Message)
{
    public Failure Failure { get; } = failure;
}
