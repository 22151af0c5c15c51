using System.Globalization;
using ActorCluster.Protocol;
using ActorCluster.Protocol.Raft;
using ActorCluster.Raft.Storage;
using Microsoft.Extensions.Logging;
using Proto;
using Proto.Remote;

namespace ActorCluster.Raft.Actors;

/// <summary>Published on the event stream when consensus on this node failed: nothing is acknowledged any more, the node must stop.</summary>
public sealed record RaftHostFailed(Exception Error, string Where);

/// <summary>
/// All Raft groups of a node: starts their actors, gives them one clock, and stops them in order. The log writer and the snapshot
/// store belong to whoever made them.
/// </summary>
public sealed class RaftHost : IAsyncDisposable
{
    readonly ActorSystem _system;
    readonly TimeProvider _time;
    readonly IRandomSource _random;
    readonly ILoggerFactory _loggers;
    readonly ILogger _logger;
    readonly Lock _gate = new();
    readonly TaskCompletionSource _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly ITimer _ticker;
    readonly EventStreamSubscription<object> _endpointEvents;
    volatile ReplicaGroup[] _groups = [];
    bool _stopping;

    /// <param name="system">The node's actor system, with its address set.</param>
    /// <param name="self">The node's uid.</param>
    /// <param name="log">The node-wide log.</param>
    /// <param name="snapshots">The node's snapshots.</param>
    /// <param name="directory">Where other nodes are.</param>
    /// <param name="options">Settings of all groups.</param>
    /// <param name="time">Drives the ticks.</param>
    /// <param name="random">Seeds the groups' generators.</param>
    /// <param name="loggers">For state changes, and the line per applied entry.</param>
    public RaftHost(
        ActorSystem system,
        NodeUid self,
        ILogWriter log,
        ISnapshotStore snapshots,
        INodeDirectory directory,
        RaftOptions options,
        TimeProvider time,
        IRandomSource random,
        ILoggerFactory loggers)
    {
        _system = system;
        Self = self;
        Log = log;
        Snapshots = snapshots;
        Directory = directory;
        Options = options;
        _time = time;
        _random = random;
        _loggers = loggers;
        _logger = loggers.CreateLogger<RaftHost>();
        _ = log.Failed.ContinueWith(
            failed => Fail(failed.Exception!.GetBaseException(), "the node's log"),
            CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        _ = _failed.Task.ContinueWith(
            static task => _ = task.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        _endpointEvents = system.EventStream.Subscribe<EndpointTerminatedEvent>(LosePeer);
        _ticker = time.CreateTimer(static host => ((RaftHost)host!).Tick(), this, options.Tick, options.Tick);
    }

    public NodeUid Self { get; }
    public RaftOptions Options { get; }

    /// <summary>Faults, with the cause, when the log, a snapshot or a group failed: the node must stop.</summary>
    public Task Failed => _failed.Task;

    /// <summary>The groups that have a replica here, by id.</summary>
    public IReadOnlyList<IReplicaGroup> Groups => _groups;

    internal ILogWriter Log { get; }
    internal ISnapshotStore Snapshots { get; }
    internal INodeDirectory Directory { get; }

    /// <summary>What the names of all groups' actors begin with.</summary>
    public const string ActorPrefix = "raft/";

    /// <summary>The name of a group's actor on every node that has a replica.</summary>
    public static string ActorName(GroupId group) => ActorPrefix + group.Value.ToString(CultureInfo.InvariantCulture);

    /// <summary>The replica of a group, or null when there is none here.</summary>
    public IReplicaGroup? Find(GroupId id) => Array.Find(_groups, g => g.Id == id);

    /// <summary>Makes the first replica of a new group on this node. Its configuration is the same on all its members.</summary>
    public IReplicaGroup Start(GroupId id, GroupConfig config, Func<IStateMachine> stateMachine)
    {
        // In the log before everything else that the group will write, because one group's writes keep their order.
        Log.Submit(new LogWrite(id, null, [], Config: config), static () => { });
        return Start(new RecoveredGroup(id, default, config, null, []), stateMachine);
    }

    /// <summary>Starts a replica from what the node's log and snapshots hold of it (<see cref="NodeStorage.Groups"/>).</summary>
    public IReplicaGroup Start(RecoveredGroup recovered, Func<IStateMachine> stateMachine)
    {
        lock (_gate)
        {
            if (_stopping) throw new InvalidOperationException("the host is stopping");
            if (Find(recovered.Group) is not null) throw new InvalidOperationException($"group {recovered.Group} has a replica here already");
            var machine = stateMachine();
            if (recovered.Snapshot is { } snapshot)
            {
                using var content = Snapshots.Open(recovered.Group, snapshot);
                machine.Restore(content);
                Invariant.Check(machine.AppliedIndex == snapshot.Index, $"the state restored from snapshot {snapshot.Index} stands at {machine.AppliedIndex}");
            }

            var core = new RaftNode(CoreConfig(recovered.Group), recovered, machine.AppliedIndex, new Xoshiro256(_random.NextUInt64()));
            var group = new ReplicaGroup(recovered.Group, _system.Root, Options, Picture(core));
            var firstReadId = _random.NextUInt64();
            group.Pid = _system.Root.SpawnNamed(
                Props.FromProducer(() => new RaftGroupActor(this, core, machine, group, _loggers, firstReadId)), ActorName(recovered.Group));
            _groups = [.. _groups.Append(group).OrderBy(g => g.Id)];
            return group;
        }
    }

    /// <summary>
    /// Hands leadership over where somebody is there to take it, then stops the groups. Whoever still waits is told NotExecuted or
    /// Unknown. What was handed to the log is left to its owner.
    /// </summary>
    public async Task StopAsync()
    {
        lock (_gate)
        {
            if (_stopping) return;
            _stopping = true;
        }

        var handedOver = _groups.Select(group =>
        {
            var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _system.Root.Send(group.Pid!, new HandOver(done));
            return done.Task;
        });

        // A group that cannot answer (its actor stopped by itself) must not hold up the rest.
        var bound = Options.Tick * (2 * Options.ElectionTicks);
        await Task.WhenAny(Task.WhenAll(handedOver), Task.Delay(bound, _time)).ConfigureAwait(false);
        await _ticker.DisposeAsync().ConfigureAwait(false);
        _endpointEvents.Unsubscribe();
        await Task.WhenAll(_groups.Select(group => _system.Root.StopAsync(group.Pid!))).ConfigureAwait(false);
        foreach (var group in _groups) group.Close("the node is stopping");
    }

    public async ValueTask DisposeAsync() => await StopAsync().ConfigureAwait(false);

    /// <summary>Ends all groups without acknowledging anything more.</summary>
    internal void Fail(Exception error, string where)
    {
        if (!_failed.TrySetException(error)) return;
        RaftLogging.Failed(_logger, error, where);
        foreach (var group in _groups) _system.Root.Send(group.Pid!, new HostFailed($"consensus on this node failed: {where}: {error.Message}"));
        _system.EventStream.Publish(new RaftHostFailed(error, where));
    }

    internal void RunBlocking(Action work) => _ = Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.DenyChildAttach, Options.BlockingWork);

    RaftConfig CoreConfig(GroupId group) => new(group, Self)
    {
        HeartbeatTicks = Options.HeartbeatTicks,
        ElectionTicks = Options.ElectionTicks,
        StalledWriteTicks = 2 * Options.ElectionTicks,
        ForwardedReadTicks = 2 * Options.ElectionTicks,
        MaxUncommittedBytes = Options.MaxUncommittedBytes,
        MaxPendingReads = Options.MaxPendingReads,
        KeepTailEntries = Options.KeepTailEntries,
    };

    static GroupStatus Picture(RaftNode core) => new(
        core.Group, core.Role, core.Term, core.Leader, core.CommitIndex, core.AppliedIndex, core.FirstIndex, core.LastIndex, core.LogBytes,
        core.Snapshot?.Index ?? 0, (long)(core.Snapshot?.SizeBytes ?? 0), core.Voters, AppliedEntries: 0, LeaderReady: false, core.IsNeeded, core.Suspicion);

    void Tick()
    {
        foreach (var group in _groups) group.SendTick();
    }

    void LosePeer(EndpointTerminatedEvent lost)
    {
        if (lost.Address is not { } address) return;
        foreach (var group in _groups) _system.Root.Send(group.Pid!, new PeerLost(address));
    }
}
