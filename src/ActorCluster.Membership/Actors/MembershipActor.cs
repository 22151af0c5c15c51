using ActorCluster.Membership.Storage;
using ActorCluster.Protocol.Membership;
using ActorCluster.Raft;
using Proto;
using GossipMessage = ActorCluster.Protocol.Membership.Gossip;

namespace ActorCluster.Membership.Actors;

/// <summary>
/// The actor <c>membership</c>: turns messages and time into steps of the member table, gossip, forming and the
/// coordinator's policy, and their outputs into sends. It decides nothing by itself.
/// </summary>
sealed partial class MembershipActor : IActor
{
    public const string Name = "membership";

    static readonly TimeSpan TickEvery = TimeSpan.FromMilliseconds(50);

    readonly MembershipService _service;
    readonly MembershipOptions _options;
    readonly NodeIdentityStore _store;
    readonly IRandomSource _random;
    readonly MonotonicClock _clock;
    readonly MemberTable _table;
    readonly GossipEngine _gossip;
    readonly CoordinatorDriver _coordinator;
    FormingNode _forming;
    NodeInfo _self;
    ITimer? _timer;
    PID? _probe;
    MembershipSnapshot? _published;
    long _nextGossip;
    long _nextStrangers;
    bool _leaving;
    StopInProgress? _stop;

    public MembershipActor(MembershipService service, NodeInfo self, NodeIdentityStore store, IRandomSource random, MonotonicClock clock, CoordinatorDriver coordinator)
    {
        _service = service;
        _options = service.Options;
        _store = store;
        _random = random;
        _clock = clock;
        _coordinator = coordinator;
        _self = self;
        _table = new MemberTable(store.Uid);
        _gossip = new GossipEngine(_table, random, _options.Gossip);
        _forming = null!;
    }

    public Task ReceiveAsync(IContext context)
    {
        // Whatever goes wrong here would leave a node that looks like a member and is none: the node stops.
        try
        {
            Receive(context);
        }
        catch (Exception failure)
        {
            _timer?.Dispose();
            _service.Fail(failure);
            context.Stop(context.Self);
        }

        return Task.CompletedTask;
    }

    void Receive(IContext context)
    {
        switch (context.Message)
        {
            case Started: Start(context); break;
            case Stopping or Restarting: _timer?.Dispose(); return;
            case Tick: OnTick(context); break;
            case GossipMessage gossip when WellFormed.Is(gossip): OnGossip(context, gossip); break;
            case FormingMessage forming when WellFormed.Is(forming): Act(context, _forming.Receive(forming, _clock.NowMs)); break;
            case JoinRequest join when WellFormed.Is(join.Node): OnJoinRequest(context, join); break;
            case JoinReply reply when WellFormed.Is(reply): OnJoinReply(context, reply); break;
            case LeaveRequest leave: OnLeaveRequest(context, leave); break;
            case GetTopology: OnGetTopology(context); break;
            case Answered answered: OnAnswered(context, answered); break;
            case Observed observed: _table.Observe(observed.Subject, observed.Incarnation, observed.Reachability, observed.Evidence); break;
            case ViewApplied applied: OnViewApplied(context, applied.View); break;
            case AnnounceStop: OnStop(context); break;
            default: return;
        }

        Publish(context);
    }

    void Start(IContext context)
    {
        _probe = context.System.Root.SpawnNamed(
            Props.FromProducer(() => new ProbeActor(_table.Self, _self.Incarnation, new FailureDetector(_table.Self, _self.Name, _random, _options.Detector), context.Self, _clock)),
            ProbeActor.Name);
        _gossip.SetSelf(_self);
        _table.SetSelf(_self);
        _service.Directory.Learn(_self);

        var settings = new FormingSettings
        {
            Expect = (uint)_options.Expect,
            Partitions = (uint)_options.Partitions,
            ReplicationFactor = (uint)_options.ReplicationFactor,
        };
        var restored = _store.FormingState.Length == 0 ? null : FormingState.Parser.ParseFrom(_store.FormingState.Span);
        _forming = new FormingNode(_self, settings, _options.Seeds, _store.ClusterId, restored, _random, _options.Forming);
        if (_forming.Formed is { } formed) BeFirstMember(context, formed);
        else if (_store.ClusterId.Length > 0) Belong(_store.ClusterId);
        if (_store.ClusterId.Length > 0) _coordinator.Resume(context);

        var pid = context.Self;
        var root = context.System.Root;
        _timer = _clock.Time.CreateTimer(_ => root.Send(pid, Tick.Instance), null, TimeSpan.Zero, TickEvery);
    }

    void OnTick(IContext context)
    {
        var now = _clock.NowMs;
        Act(context, _forming.Tick(now));
        _service.Forming = _forming.Status() is var status && _joinProblem is not null ? status with { Problems = [.. status.Problems, _joinProblem] } : status;
        if (_stop is { } stop && (stop.Waiting.Count == 0 || now >= stop.Deadline)) Stopped(context, stop);
        if (_stop is not null) return;

        RejoinIfRemoved();
        AskToJoin(context, now);
        if (_table.ClusterId.Length == 0) return;
        if (now >= _nextGossip)
        {
            _nextGossip = now + _options.Gossip.IntervalMs;
            Act(context, _gossip.Tick(now));
            ContactStrangers(context, now);
        }

        _coordinator.Tick(context, now, _table, uid => _gossip.HeardWithin(uid, now, CoordinatorDriver.ContactMs));
    }

    /// <summary>Looks for the cluster where members were and at the seeds: often while nobody is heard, now and then otherwise.</summary>
    void ContactStrangers(IContext context, long now)
    {
        var alone = !_table.Members.Any(m => m.Uid != _table.Self && _gossip.HeardWithin(m.Uid, now, CoordinatorDriver.ContactMs));
        if (!alone && now < _nextStrangers) return;
        _nextStrangers = now + 2000;
        var addresses = _options.Seeds.Concat(_store.KnownAddresses).Concat(_forming.Formed?.Members.Select(m => m.Address) ?? [])
            .Where(a => a != _self.Address && _table.Snapshot.FindByAddress(a) is not { IsActive: true })
            .Distinct(StringComparer.Ordinal);
        foreach (var address in addresses) Act(context, _gossip.Contact(address));
    }

    void OnGossip(IContext context, GossipMessage gossip)
    {
        if (_table.ClusterId.Length == 0) return; // blank: it forms or joins first
        if (string.Equals(gossip.ClusterId, _table.ClusterId, StringComparison.Ordinal)) _service.Directory.Learn(gossip.Sender);
        Act(context, _gossip.Receive(gossip, _clock.NowMs));
        if (gossip.Hop > 0) _stop?.Waiting.Remove(gossip.Sender.Uid); // an answer: it has heard that this node stops
    }

    void OnAnswered(IContext context, Answered answered)
    {
        _gossip.Heard(answered.Subject, answered.Incarnation, _clock.NowMs);
        if (_table.Find(answered.Subject) is { } member && (member.State == MemberState.Unreachable || member.Suspected || member.Incarnation < answered.Incarnation))
            Act(context, _gossip.Question(member));
    }

    void OnViewApplied(IContext context, CommittedView view)
    {
        _table.ApplySnapshot(view);
        Act(context, _forming.RecordCoordinatorRan());
    }

    void OnGetTopology(IContext context)
    {
        if (context.Sender is null) return;
        var topology = new Topology { ClusterId = _table.ClusterId, View = _table.View };
        topology.Active.Add(_table.Members.Where(m => m.IsActive).Select(m => m.Node));
        context.Respond(topology);
    }

    void OnStop(IContext context)
    {
        if (context.Sender is null) return;
        var others = _table.Members.Where(m => m.Uid != _table.Self && m.IsActive).Select(m => m.Uid.Value).ToHashSet();
        _table.AnnounceStopping();
        _stop = new StopInProgress(context.Sender, _clock.NowMs + 1000, others);
        if (_table.Find(_table.Self) is null || others.Count == 0) Stopped(context, _stop);
    }

    void Stopped(IContext context, StopInProgress stop)
    {
        if (stop.Told) return;
        stop.Told = true;
        context.Send(stop.Asker, new StopAnnounced());
    }

    void Act(IContext context, IReadOnlyList<GossipOutput> outputs)
    {
        foreach (var output in outputs)
            if (output is SendGossip send) context.Send(PID.FromAddress(send.Address, Name), send.Message);
    }

    /// <summary>After every message: what changed goes to readers, to the probe, to peers, and on the event stream.</summary>
    void Publish(IContext context)
    {
        var snapshot = _table.Snapshot;
        var changed = !ReferenceEquals(snapshot, _published);
        if (changed)
        {
            _published = snapshot;
            foreach (var member in snapshot.Members.Values)
                if (member.State != MemberState.Removed) _service.Directory.Learn(member.Node);
            if (_table.View > 0) _store.SaveKnownAddresses([.. snapshot.Members.Values.Where(m => m.Uid != _table.Self && m.State != MemberState.Removed).Select(m => m.Address)]);
            if (_probe is not null) context.Send(_probe, new WatchMembers(snapshot, _self.Incarnation));
            if (_table.ClusterId.Length > 0) Act(context, _gossip.Disseminate(_clock.NowMs));
        }

        var events = _table.DrainEvents().Concat(_gossip.DrainEvents()).ToArray();
        if (changed) _service.Publish(snapshot);
        foreach (var happened in events) _service.Publish(happened);
        if (events.OfType<OwnIncarnationIsOld>().FirstOrDefault() is { } old)
        {
            throw new InvalidOperationException(
                $"the cluster knows incarnation {old.Known} of this node's uid, and this process is incarnation {old.Own}: its data directory is a copy, or was restored from an old one");
        }
    }

    sealed record StopInProgress(PID Asker, long Deadline, HashSet<ulong> Waiting)
    {
        public bool Told { get; set; }
    }
}
