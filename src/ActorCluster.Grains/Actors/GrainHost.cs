using System.Reflection;
using ActorCluster.Keyspace;
using ActorCluster.Keyspace.Actors;
using ActorCluster.Membership.Actors;
using ActorCluster.Protocol;
using ActorCluster.Protocol.Grains;
using Proto;
using Proto.Cluster;
using Failure = ActorCluster.Protocol.Failure;

namespace ActorCluster.Grains.Actors;

/// <summary>
/// The actor <c>grains</c>: tells where a virtual actor lives and activates it there when it is nowhere. This node activates
/// identities of the partitions that it leads; for others it asks the leader's node, once. Activations end when leadership
/// does, when they are idle, when a commit was lost, and when the cluster has removed this node (guarantee G8).
/// </summary>
public sealed class GrainHost : IActor
{
    public const string ActorName = "grains";

    /// <summary>The kind of a partition's own virtual actor: every key of the partition is an identity of it.</summary>
    public const string KvKind = "kv";

    readonly Shared _shared;
    readonly ActivationTable _table;
    readonly Dictionary<Activation, List<PID>> _waiting = [];
    readonly Dictionary<string, Activation> _byPid = new(StringComparer.Ordinal);
    readonly HashSet<Activation> _passivating = [];
    EventStreamSubscription<object>? _events;
    EventStreamSubscription<object>? _removals;
    ITimer? _sweep;

    GrainHost(Shared shared)
    {
        _shared = shared;
        _table = new ActivationTable(shared.Options.MaxActivations);
    }

    /// <summary>What the host and its activations share.</summary>
    /// <param name="State">What this node knows of the key space.</param>
    /// <param name="Remote">Questions to other nodes.</param>
    /// <param name="Kinds">The replicated kinds.</param>
    /// <param name="Options">Limits and times.</param>
    /// <param name="Time">The node's time.</param>
    /// <param name="NodeName">What people call this node.</param>
    public sealed record Shared(KeyspaceState State, RemoteRequests Remote, GrainKinds Kinds, GrainOptions Options, TimeProvider Time, string NodeName)
    {
        readonly long _start = Time.GetTimestamp();

        internal DeadlineTokens Deadlines { get; } = new(Time);

        internal long NowMs => (long)Time.GetElapsedTime(_start).TotalMilliseconds;
    }

    internal sealed record Ended(Activation Activation, GrainEventKind What, string Reason);

    sealed record StartFailed(Activation Activation, Exception Reason);

    sealed class Sweep
    {
        public static readonly Sweep Instance = new();
    }

    /// <summary>
    /// Starts the host. To be called before <see cref="PartitionHost.Spawn"/>, so that no partition is led before it listens.
    /// </summary>
    public static PID Spawn(ActorSystem system, Shared shared) =>
        system.Root.SpawnNamed(Props.FromProducer(() => new GrainHost(shared)).FailingTheNode(system, ActorName), ActorName);

    public Task ReceiveAsync(IContext context)
    {
        switch (context.Message)
        {
            case Started:
                Start(context);
                break;
            case Locate locate:
                Answer(context, locate);
                break;
            case PartitionLeadership leadership:
                LeadershipChanged(context, leadership);
                break;
            case RejoiningAfterRemoval removal:
                EndAll(context, $"this node was removed from the cluster: {removal.Reason}");
                break;
            case Ended ended:
                End(context, ended.Activation, ended.What, ended.Reason);
                break;
            case StartFailed failed:
                context.System.Root.Stop(PidOf(context, failed.Activation));
                Fail(context, failed.Activation, failed.Reason);
                break;
            case Terminated terminated:
                // A system message overtakes the activation's own last word (Ended), which says why: queue behind it.
                if (_byPid.TryGetValue(terminated.Who.Id, out var gone))
                {
                    context.Send(context.Self, _passivating.Contains(gone)
                        ? new Ended(gone, GrainEventKind.Passivated, "idle")
                        : new Ended(gone, GrainEventKind.Deactivated, "it stopped"));
                }

                break;
            case Sweep:
                Passivate(context);
                break;
            case Stopping:
                Stop(context);
                break;
        }

        return Task.CompletedTask;
    }

    void Start(IContext context)
    {
        var (root, self) = (context.System.Root, context.Self);
        var every = TimeSpan.FromMilliseconds(Math.Max(50, _shared.Options.Idle.TotalMilliseconds / 4));
        _events = context.System.EventStream.Subscribe<PartitionLeadership>(change => root.Send(self, change));
        _removals = context.System.EventStream.Subscribe<RejoiningAfterRemoval>(removal => root.Send(self, removal));
        _sweep = _shared.Time.CreateTimer(_ => root.Send(self, Sweep.Instance), null, every, every);
        // What is led already: after a restart of this actor nobody tells it again.
        foreach (var leadership in _shared.State.Led) LeadershipChanged(context, leadership);
    }

    void Stop(IContext context)
    {
        _events?.Unsubscribe();
        _removals?.Unsubscribe();
        _sweep?.Dispose();
        EndAll(context, "the node stops");
    }

    void EndAll(IContext context, string reason)
    {
        foreach (var activation in _table.All.ToArray())
        {
            context.System.Root.Stop(PidOf(context, activation));
            End(context, activation, GrainEventKind.Deactivated, reason);
        }
    }

    void LeadershipChanged(IContext context, PartitionLeadership change)
    {
        var ended = change.Leads
            ? _table.Led(change.Partition.Id, change.Partition.Generation, change.Term)
            : _table.Lost(change.Partition.Id);
        foreach (var activation in ended)
        {
            context.System.Root.Stop(PidOf(context, activation));
            Forget(context, activation, GrainEventKind.Deactivated, $"this node stopped leading partition {change.Partition.Id}");
        }
    }

    void Answer(IContext context, Locate locate)
    {
        if (context.Sender is not { } sender) return;
        if (Check(context, locate) is { } wrong)
        {
            context.Respond(new Located { Failure = wrong });
            return;
        }

        var map = _shared.State.Map!;
        var partition = map.Find(locate.Identity);
        if (_table.LeaderEpoch(partition.Id) is not { } leaderEpoch) AskLeader(context, sender, locate, partition, map.Version);
        else if (locate.Kind == KvKind)
        {
            var pid = PID.FromAddress(context.System.Address, KeyspaceState.KvGrainId(partition, leaderEpoch.Term));
            context.Respond(Found(context, partition.Id, pid.Id, leaderEpoch, active: true));
        }
        else Activate(context, sender, locate, partition);
    }

    /// <summary>What is wrong with the question, or null.</summary>
    Failure? Check(IContext context, Locate locate)
    {
        if (locate.Kind != KvKind && GrainAddress.CheckKind(locate.Kind) is { } badKind) return Failures.NotExecuted(ErrorCode.InvalidArgument, badKind);
        if (RequestValidation.CheckKey(locate.Identity) is { } badIdentity)
        {
            badIdentity.Message = badIdentity.Message.Replace("key", "identity", StringComparison.Ordinal);
            return badIdentity;
        }

        if (_shared.State.Map is null)
            return Failures.NotExecuted(ErrorCode.NotAMember, $"node {_shared.NodeName} does not know the partition map yet: it has not joined a cluster");
        if (locate.Kind != KvKind && !_shared.Kinds.Contains(locate.Kind) && PlainKind(context, locate.Kind) is null)
            return Failures.NotExecuted(ErrorCode.UnknownKind, $"node {_shared.NodeName} knows no kind '{locate.Kind}'; it knows: {string.Join(", ", KnownKinds(context))}");
        return null;
    }

    void Activate(IContext context, PID sender, Locate locate, PartitionView partition)
    {
        var activation = _table.Find(locate.Kind, locate.Identity);
        if (activation is { State: ActivationState.Active })
        {
            // A caller that was refused is right only if nobody is there; a broken connection looks the same to it.
            var alive = locate.Refused is null || Epoch.From(locate.Refused) < activation.Epoch || IsAlive(context, activation);
            if (alive)
            {
                activation.Used(_shared.NowMs);
                context.Respond(Found(context, partition.Id, activation.Address.Id, activation.Epoch, active: true));
                return;
            }

            End(context, activation, GrainEventKind.Deactivated, "it was gone");
            activation = null;
        }

        if (locate.Peek)
        {
            context.Respond(Found(context, partition.Id, activation?.Address.Id ?? "", activation?.Epoch ?? Epoch.None, active: false));
            return;
        }

        if (activation is null)
        {
            if (_table.IsFull)
            {
                context.Respond(new Located
                {
                    Failure = Failures.NotExecuted(ErrorCode.Overloaded, $"node {_shared.NodeName} has {_shared.Options.MaxActivations} activations; no more are taken"),
                });
                return;
            }

            activation = _table.Begin(locate.Kind, locate.Identity, partition.Id, _shared.NowMs);
            _waiting[activation] = [sender];
            if (_shared.Kinds.Contains(locate.Kind)) ActivateReplicated(context, activation, partition);
            else ActivatePlain(context, activation, PlainKind(context, locate.Kind)!);
            return;
        }

        var waiting = _waiting[activation];
        if (waiting.Count < _shared.Options.MaxWaiting) waiting.Add(sender);
        else context.Respond(new Located { Failure = Failures.NotExecuted(ErrorCode.Overloaded, $"{waiting.Count} requests wait for {activation.Address}") });
    }

    void ActivateReplicated(IContext context, Activation activation, PartitionView partition)
    {
        if (_shared.State.Replica(partition.Group) is not { } replica)
        {
            Fail(context, activation, Failures.NotExecuted(ErrorCode.NotLeader, $"node {_shared.NodeName} holds no replica of partition {partition.Id}"));
            return;
        }

        var (kind, identity) = (activation.Kind, activation.Identity);
        var read = replica.ReadAsync(m => m.Part<GrainStatePart>().Find(kind, identity), _shared.Deadlines.After(_shared.Options.ActivationTimeout));
        context.ReenterAfter(read.AsTask(), async done =>
        {
            var (stored, failure) = await done;
            if (activation.State != ActivationState.Activating) return;
            if (failure is not null)
            {
                Fail(context, activation, failure);
                return;
            }

            GrainTurns turns;
            try
            {
                turns = new GrainTurns(_shared.Kinds.Make(kind), kind, identity, activation.Epoch, stored);
            }
            catch (Exception e) when (e is not Raft.InvariantViolationException)
            {
                // The user's constructor, or a state that is not its own.
                Fail(context, activation, e);
                return;
            }

            var host = context.Self;
            var props = Props.FromProducer(() => new ReplicatedGrainActor(activation, turns, replica, _shared, host));
            var pid = context.System.Root.SpawnNamed(props, activation.Address.Id);
            Activated(context, activation, pid, stored.Version > 0 ? GrainEventKind.Reactivated : GrainEventKind.Activated);
        });
    }

    void ActivatePlain(IContext context, Activation activation, ActivatedClusterKind kind)
    {
        var identity = ClusterIdentity.Create(activation.Identity, activation.Kind);
        var may = kind.CanSpawnIdentity?.Invoke(activation.Identity, _shared.Deadlines.After(_shared.Options.ActivationTimeout)).AsTask() ?? Task.FromResult(true);
        context.ReenterAfter(may, async allowed =>
        {
            bool isAllowed;
            try
            {
                isAllowed = await allowed;
            }
            catch (Exception e) when (e is not Raft.InvariantViolationException)
            {
                Fail(context, activation, e);
                return;
            }

            if (activation.State != ActivationState.Activating) return;
            if (!isAllowed)
            {
                Fail(context, activation, Failures.NotExecuted(ErrorCode.ActivationFailed, $"{activation.Kind}/{activation.Identity} is refused by its kind"));
                return;
            }

            var (root, host, shared) = (context.System.Root, context.Self, _shared);
            var props = kind.Props
                .WithReceiverMiddleware(next => (ctx, envelope) =>
                {
                    activation.Used(shared.NowMs);
                    return next(ctx, envelope);
                })
                .WithGuardianSupervisorStrategy(new PlainGrainSupervision(reason => root.Send(host, new StartFailed(activation, reason))));
            var pid = root.SpawnNamed(props, activation.Address.Id, spawned => spawned.Set(identity));
            context.Watch(pid);
            // Answers once it has started; when it cannot, its supervision says so first.
            var touched = root.RequestAsync<Touched>(pid, Touch.Instance, shared.Deadlines.After(shared.Options.ActivationTimeout));
            context.ReenterAfter(touched, done =>
            {
                if (done.IsCompletedSuccessfully) Activated(context, activation, pid, GrainEventKind.Activated);
                // Queued behind what its supervision said, which knows the cause.
                else context.Send(host, new StartFailed(activation, new TimeoutException($"it did not start within {shared.Options.ActivationTimeout.TotalMilliseconds:0} ms")));
            });
        });
    }

    void Activated(IContext context, Activation activation, PID pid, GrainEventKind what)
    {
        if (!_table.Activated(activation))
        {
            context.System.Root.Stop(pid);
            return;
        }

        _byPid[pid.Id] = activation;
        context.Watch(pid);
        context.System.EventStream.Publish(new GrainEvent(what, activation.Kind, activation.Identity, activation.Epoch, "requested"));
        if (!_waiting.Remove(activation, out var waiting)) return;
        var found = Found(context, activation.Partition, activation.Address.Id, activation.Epoch, active: true);
        foreach (var sender in waiting) context.Send(sender, found);
    }

    void Fail(IContext context, Activation activation, Exception reason)
    {
        // A constructor that was called by its type parameter.
        if (reason is TargetInvocationException { InnerException: { } inner }) reason = inner;
        var message = $"{activation.Kind}/{activation.Identity} could not be activated: {reason.GetType().Name}: {reason.Message}";
        Fail(context, activation, Failures.NotExecuted(ErrorCode.ActivationFailed, message));
    }

    void Fail(IContext context, Activation activation, Failure failure)
    {
        if (activation.State != ActivationState.Activating || !_table.End(activation)) return;
        Forget(context, activation, GrainEventKind.ActivationFailed, failure.Message, failure);
    }

    void End(IContext context, Activation activation, GrainEventKind what, string reason)
    {
        if (_table.End(activation)) Forget(context, activation, what, reason);
    }

    void Forget(IContext context, Activation activation, GrainEventKind what, string reason, Failure? failure = null)
    {
        _byPid.Remove(activation.Address.Id);
        _passivating.Remove(activation);
        context.System.EventStream.Publish(new GrainEvent(what, activation.Kind, activation.Identity, activation.Epoch, reason));
        if (!_waiting.Remove(activation, out var waiting)) return;
        failure ??= Failures.NotExecuted(ErrorCode.NotLeader, reason);
        foreach (var sender in waiting) context.Send(sender, new Located { Failure = failure });
    }

    void Passivate(IContext context)
    {
        var idleMs = (long)_shared.Options.Idle.TotalMilliseconds;
        foreach (var activation in _table.IdleFor(idleMs, _shared.NowMs))
        {
            var pid = PidOf(context, activation);
            if (_shared.Kinds.Contains(activation.Kind)) context.Send(pid, new ReplicatedGrainActor.Passivate(idleMs));
            // A plain actor finishes its queue; its entry stays until it is gone, so that two never run side by side.
            else if (_passivating.Add(activation)) context.Poison(pid);
        }
    }

    /// <summary>Passes the question on to the leader's node, once.</summary>
    void AskLeader(IContext context, PID sender, Locate locate, PartitionView partition, ulong mapVersion)
    {
        var route = _shared.State.Route(partition);
        if (locate.Forwarded || route.Local is not null)
        {
            context.Respond(new Located { Failure = NotLeader(partition, route, mapVersion) });
            return;
        }

        var address = route.Remote?.Address;
        if (address is null && _shared.State.Replica(partition.Group) is null)
            address = partition.Replicas.Select(_shared.State.AddressOf).FirstOrDefault(a => a is not null);
        if (address is null || address == context.System.Address)
        {
            context.Respond(new Located { Failure = NotLeader(partition, route, mapVersion) });
            return;
        }

        var root = context.System.Root;
        Ask(address, secondChance: true);

        void Ask(string at, bool secondChance)
        {
            var question = new Locate(locate) { Forwarded = true };
            var asked = _shared.Remote.AskAsync<Located>(PID.FromAddress(at, ActorName), question, _shared.Options.ActivationTimeout, CancellationToken.None);
            context.ReenterAfter(asked.AsTask(), async done =>
            {
                var (located, why) = await done;
                if (located is null)
                {
                    root.Send(sender, new Located { Failure = Failures.NotExecuted(ErrorCode.NotLeader, $"the leader's node did not answer: {why}") });
                    return;
                }

                // A node that holds no replica asks one that does; that one knows the leader.
                var hint = located.Failure is { Code: ErrorCode.NotLeader } failure ? failure.LeaderAddress : "";
                if (hint.Length > 0 && hint != at && secondChance) Ask(hint, secondChance: false);
                else root.Send(sender, located);
            });
        }
    }

    Failure NotLeader(PartitionView partition, LeaderRoute route, ulong mapVersion)
    {
        var failure = Failures.NotExecuted(
            ErrorCode.NotLeader,
            route.Local is not null
                ? $"node {_shared.NodeName} was elected for partition {partition.Id} and is not ready yet"
                : $"node {_shared.NodeName} does not lead partition {partition.Id}{(route.Remote is null ? " and knows no leader" : "")}");
        failure.LeaderAddress = route.Remote?.Address ?? "";
        failure.MapVersion = mapVersion;
        return failure;
    }

    Located Found(IContext context, uint partition, string id, Epoch epoch, bool active) => new()
    {
        Address = context.System.Address,
        Id = id,
        Epoch = epoch.ToMessage(),
        Partition = partition,
        MapVersion = _shared.State.Map!.Version,
        Node = _shared.NodeName,
        Active = active,
    };

    static bool IsAlive(IContext context, Activation activation) =>
        !ReferenceEquals(context.System.ProcessRegistry.Get(PidOf(context, activation)), context.System.DeadLetter);

    static PID PidOf(IContext context, Activation activation) => PID.FromAddress(context.System.Address, activation.Address.Id);

    static ActivatedClusterKind? PlainKind(IContext context, string kind)
    {
        var cluster = context.System.Extensions.Get<Cluster>();
        return cluster is not null && cluster.GetClusterKinds().Contains(kind, StringComparer.Ordinal) ? cluster.GetClusterKind(kind) : null;
    }

    IEnumerable<string> KnownKinds(IContext context) =>
        _shared.Kinds.Names.Concat(context.System.Extensions.Get<Cluster>()?.GetClusterKinds() ?? []).Append(KvKind).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal);
}
