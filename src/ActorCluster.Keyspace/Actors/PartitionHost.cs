using ActorCluster.Membership;
using ActorCluster.Protocol;
using ActorCluster.Protocol.Keyspace;
using ActorCluster.Raft;
using ActorCluster.Raft.Actors;
using Proto;

namespace ActorCluster.Keyspace.Actors;

/// <summary>
/// Opens the replica that is on this node's disk; makes a new one only when there is none, with these voters. A replica that joins a
/// group that is there already is not among them: it must decide nothing before it has the group's log.
/// </summary>
public delegate IReplicaGroup OpenReplica(GroupId group, IReadOnlyList<NodeUid> firstVoters, IStateMachine machine);

/// <summary>
/// Published on the actor system's event stream when this node begins to lead a partition (its term's first entry is
/// applied: it may activate) and when it stops to. Between the two, nobody else commits anything under the term.
/// </summary>
public sealed record PartitionLeadership(PartitionView Partition, ulong Term, bool Leads);

/// <summary>
/// The actor <c>partitions</c>: keeps this node's replicas as the committed partition map names them, and a KV grain for
/// each partition that this node leads. While the map says that a partition's replicas change, the node that leads it changes the
/// group's members and reports when that is done. Invariant: a replica is opened only when the map names this node's uid, so a node
/// that lost its disk (and with it its uid) never votes in an old group.
/// </summary>
public sealed class PartitionHost : IActor
{
    public const string ActorName = "partitions";

    readonly Services _services;
    readonly Dictionary<GroupId, (PID Grain, ulong Term)> _led = [];
    readonly Dictionary<GroupId, (bool Leads, ulong Term)> _heard = [];

    /// <summary>Replicas that this node had in its life and is not to have any more.</summary>
    readonly Dictionary<GroupId, PartitionReplica> _retired = [];

    EventStreamSubscription<object>? _events;
    ITimer? _sweep;
    ITimer? _settle;

    PartitionHost(Services services) => _services = services;

    /// <summary>What the host needs.</summary>
    /// <param name="State">What this node knows; the host keeps it.</param>
    /// <param name="Open">Opens replicas.</param>
    /// <param name="Report">Tells the coordinator's leader that a change of replicas is done. Repeated until the map says so.</param>
    /// <param name="Router">For KV grains that take a plain caller's write.</param>
    /// <param name="Parts">Makes the registered parts of a partition's state machine.</param>
    /// <param name="Options">Limits and times.</param>
    /// <param name="Time">The node's time.</param>
    public sealed record Services(
        KeyspaceState State,
        OpenReplica Open,
        Action<ReplicasSettled> Report,
        KvRouter Router,
        Func<PartitionView, IReadOnlyList<IPartitionPart>> Parts,
        KeyspaceOptions Options,
        TimeProvider Time)
    {
        internal DeadlineTokens Deadlines { get; } = new(Time);
    }

    /// <summary>Starts the host. It takes <see cref="MembershipSnapshot"/> messages: send it every new one.</summary>
    public static PID Spawn(ActorSystem system, Services services) =>
        system.Root.SpawnNamed(Props.FromProducer(() => new PartitionHost(services)).FailingTheNode(system, ActorName), ActorName);

    public Task ReceiveAsync(IContext context)
    {
        switch (context.Message)
        {
            case Started:
                Start(context);
                break;
            case MembershipSnapshot members:
                if (_services.State.Update(members)) FollowMap(context);
                break;
            case GroupLeadershipChanged changed:
                _heard[changed.Group] = (changed.Role == RaftRole.Leader && changed.LeaderReady, changed.Term);
                LeadershipChanged(context, changed.Group, _heard[changed.Group]);
                break;
            case Sweep:
                ExpireSessions(context);
                break;
            case Settle:
                ChangeReplicas(context);
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
        _events = context.System.EventStream.Subscribe<GroupLeadershipChanged>(changed => root.Send(self, changed));
        _sweep = _services.Time.CreateTimer(_ => root.Send(self, Sweep.Instance), null, _services.Options.SessionSweep, _services.Options.SessionSweep);
        _settle = _services.Time.CreateTimer(_ => root.Send(self, Settle.Instance), null, _services.Options.SettleEvery, _services.Options.SettleEvery);
        FollowMap(context);
    }

    void Stop(IContext context)
    {
        _events?.Unsubscribe();
        _sweep?.Dispose();
        _settle?.Dispose();
        foreach (var group in _led.Keys.ToArray()) LeadershipChanged(context, group, (false, 0));
    }

    void FollowMap(IContext context)
    {
        if (_services.State.Map is not { } map) return;
        foreach (var partition in map.Partitions)
        {
            var replica = _services.State.Replica(partition.Group);
            if (partition.MayHaveReplica(_services.State.Self)) Opened(context, replica ?? Open(partition));
            else if (replica is not null) Retire(context, replica);
        }
    }

    PartitionReplica Open(PartitionView partition)
    {
        if (_retired.Remove(partition.Group, out var replica)) replica.Group.Resume();
        else replica = Start(partition);
        _services.State.Add(replica);
        return replica;
    }

    PartitionReplica Start(PartitionView partition)
    {
        // A replica that cannot be opened is this node's failure (HostSupervision).
        var machine = new PartitionStateMachine(partition.Id, _services.Parts(partition));
        var group = _services.Open(partition.Group, FirstVoters(partition), machine);
        return new PartitionReplica(partition, group, machine, _services.Options, _services.Time);
    }

    /// <summary>
    /// What a replica takes for its group's voters until it has the group's log. Invariant: only the replicas that the cluster was
    /// formed with begin as voters. One with an empty log that counted itself could elect a leader, with others like it, that knows
    /// nothing of what is committed.
    /// </summary>
    List<NodeUid> FirstVoters(PartitionView partition) => partition.ReplicasVersion == 0
        ? [.. partition.Replicas]
        : [.. (partition.IsSettled ? partition.Replicas : partition.Holders).Where(node => node != _services.State.Self)];

    /// <summary>
    /// The group has other voters, committed: this replica is needed no more. It keeps its log all the same, because a member of an older
    /// configuration that knows nothing of the change may ask it for its vote, now or when it is a member again: a replica that had
    /// forgotten what it acknowledged would help to elect somebody who knows nothing of it either.
    /// </summary>
    void Retire(IContext context, PartitionReplica replica)
    {
        var group = replica.Partition.Group;
        LeadershipChanged(context, group, (false, 0));
        replica.Group.Retire();
        _services.State.Remove(group);
        _retired[group] = replica;
    }

    /// <summary>Where this node leads, it brings the group's members to what the map says. Asked again and again: leaders change.</summary>
    void ChangeReplicas(IContext context)
    {
        if (_services.State.Map is not { } map) return;
        foreach (var group in _led.Keys)
        {
            if (map.ByGroup(group) is not { IsSettled: false } partition || _services.State.Replica(group) is not { } replica) continue;
            var settled = new ReplicasSettled { Partition = partition.Id, ReplicasVersion = partition.ReplicasVersion };
            context.ReenterAfter(replica.Group.ChangeMembersAsync(partition.Replicas, []), async change =>
            {
                if (await change == MembershipChange.Done) _services.Report(settled);
            });
        }
    }

    void Opened(IContext context, PartitionReplica replica)
    {
        // What was published before anybody listened is in the status.
        var status = replica.Group.Status;
        var now = _heard.TryGetValue(replica.Partition.Group, out var heard) ? heard : (status.Role == RaftRole.Leader && status.LeaderReady, status.Term);
        LeadershipChanged(context, replica.Partition.Group, now);
    }

    void LeadershipChanged(IContext context, GroupId group, (bool Leads, ulong Term) now)
    {
        var (leads, term) = now;
        if (_led.TryGetValue(group, out var led) && !(leads && led.Term == term))
        {
            _led.Remove(group);
            context.System.Root.Stop(led.Grain);
            Publish(context, group, led.Term, leads: false);
        }

        // A replica that is still being opened is looked at again when it is there.
        if (!leads || _led.ContainsKey(group) || _services.State.Replica(group) is not { } replica) return;
        _led[group] = (SpawnGrain(context.System, replica, term), term);
        Publish(context, group, term, leads: true);
    }

    PID SpawnGrain(ActorSystem system, PartitionReplica replica, ulong term)
    {
        var id = KeyspaceState.KvGrainId(replica.Partition, term);
        var props = Props.FromProducer(() => new KvGrainActor(replica, _services.State, _services.Router, _services.Deadlines, _services.Options));
        return system.Root.SpawnNamed(props, id);
    }

    void Publish(IContext context, GroupId group, ulong term, bool leads)
    {
        if (_services.State.Replica(group) is not { } replica) return;
        var leadership = new PartitionLeadership(replica.Partition, term, leads);
        _services.State.Set(leadership);
        context.System.EventStream.Publish(leadership);
    }

    void ExpireSessions(IContext context)
    {
        foreach (var group in _led.Keys)
        {
            if (_services.State.Replica(group) is not { } replica) continue;
            // Begun here, ends by itself; what fails is done at the next sweep, by whoever leads then.
            context.ReenterAfter(replica.ExpireSessionsAsync(_services.Deadlines.After(_services.Options.RequestTimeout)).AsTask(), async ended => await ended);
        }
    }

    sealed class Settle
    {
        public static readonly Settle Instance = new();
    }

    sealed class Sweep
    {
        public static readonly Sweep Instance = new();
    }
}
