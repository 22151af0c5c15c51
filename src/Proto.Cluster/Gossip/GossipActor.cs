using System.Collections.Immutable;
using Google.Protobuf.WellKnownTypes;
using Microsoft.Extensions.Logging;

namespace Proto.Cluster.Gossip;

/// <summary>
/// The actor <c>$gossip</c>: turns messages and time into steps of the state machine, and its news into requests to other members. A round is
/// due only while some member lacks something; a cluster in which nothing changes is silent.
/// </summary>
sealed partial class GossipActor : IActor
{
    readonly Cluster _cluster;
    readonly ClusterConfig _config;
    readonly TimeProvider _time;
    readonly GossipStateMachine _machine;
    readonly RunningConsensusChecks _checks;
    readonly ILogger _logger;
    readonly GossipPeers _peers;
    readonly Heartbeats _heartbeats;
    ITimer? _round;
    ITimer? _beat;
    bool _roundIsDue;

    public GossipActor(Cluster cluster, GossipStateMachine machine, RunningConsensusChecks checks, ILogger logger)
    {
        _cluster = cluster;
        _config = cluster.Config;
        _time = cluster.System.Config.TimeProvider;
        _machine = machine;
        _checks = checks;
        _logger = logger;
        _peers = new GossipPeers(cluster.System.Config.Runtime.NextDouble);
        _heartbeats = new Heartbeats(cluster, logger);
    }

    public Task ReceiveAsync(IContext context)
    {
        switch (context.Message)
        {
            case Started: Start(context); break;
            case Restarting or Stopping: EndTimers(); break;
            case SetGossipState set: OnSet(context, set); break;
            case GetGossipState: context.Respond(_machine.Snapshot()); break;
            case RunConsensusCheck run: run.Check.Run(_machine.Snapshot(), MemberIds()); break;
            case ClusterTopology topology: OnTopology(topology); break;
            case GossipRequest request: OnRequest(context, request); break;
            case GossipRound: OnRound(context); break;
            case HeartbeatRound: OnHeartbeat(); break;
            case GetEvictableMembers: context.Respond(new EvictableMembers(_heartbeats.Evictable())); break;
            case AnnounceLeaving: OnAnnounceLeaving(context); break;
        }

        return Task.CompletedTask;
    }

    void Start(IContext context)
    {
        var (root, self) = (context.System.Root, context.Self);
        _round = _time.CreateTimer(_ => root.Send(self, GossipRound.Instance), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _beat = _time.CreateTimer(_ => root.Send(self, HeartbeatRound.Instance), null, TimeSpan.Zero, _heartbeats.Interval);
        UseMembers(_cluster.MemberList.GetMembers());
    }

    void EndTimers()
    {
        _round?.Dispose();
        _beat?.Dispose();
    }

    void OnSet(IContext context, SetGossipState set)
    {
        var refused = TrySet(set.Key, set.Value);
        if (context.Sender is not null) context.Respond(new GossipStateSet(refused));
    }

    void OnTopology(ClusterTopology topology)
    {
        UseMembers(topology.Members.Select(member => member.Id));
        TrySet(GossipKeys.Topology, Any.Pack(new ClusterTopology { TopologyHash = topology.TopologyHash, Members = { topology.Members }, Blocked = { topology.Blocked } }));
        foreach (var check in _checks.All) check.Run(_machine.Snapshot(), MemberIds());
    }

    void UseMembers(IEnumerable<string> memberIds)
    {
        _machine.SetMembers(memberIds);
        _peers.SetMembers(_machine.Members.Where(id => id != _machine.Self).ToHashSet(StringComparer.Ordinal));
        _heartbeats.SetMembers(_machine.Members);
        ScheduleRound();
    }

    void OnRequest(IContext context, GossipRequest request)
    {
        if (IsShunned(request.MemberId))
        {
            context.Respond(new GossipResponse { Rejected = true });
            return;
        }

        // A stranger (it may have joined elsewhere just now) gets what it lacks; what it says waits until it is known as a member.
        IReadOnlyList<GossipUpdate> updates = [];
        if (_machine.Members.Contains(request.MemberId))
        {
            _peers.Heard(request.MemberId);
            updates = _machine.Merge(new GossipDelta(request.State, request.After), UnixMs());
            _machine.PeerKnows(request.MemberId, request.Known);
        }

        var lacking = _machine.DeltaBeyond(new Dictionary<string, long>(request.Known, StringComparer.Ordinal), request.MemberId, _config.GossipMaxSend);
        context.Respond(new GossipResponse { State = lacking.State, After = { lacking.After }, Known = { Known() } });
        Use(updates);
    }

    void OnRound(IContext context)
    {
        _roundIsDue = false;
        foreach (var peer in _peers.ChooseForRound(_config.GossipFanout, HasNewsFor))
        {
            context.ReenterAfter(TellAsync(context, peer), task => OnAnswer(peer, task));
        }

        ScheduleRound();
    }

    Task<GossipResponse> TellAsync(IContext context, string peer)
    {
        var delta = _machine.DeltaFor(peer, _config.GossipMaxSend);
        var request = new GossipRequest { MemberId = _machine.Self, State = delta.State, After = { delta.After }, Known = { Known() } };
        if (_config.GossipDebugLogging) LogTelling(_logger, peer, delta.State.Members.Count);
        return _cluster.MemberList.TryGetMember(peer, out var member)
            ? context.RequestAsync<GossipResponse>(PID.FromAddress(member!.Address, Gossiper.GossipActorName), request, _config.GossipRequestTimeout)
            : Task.FromResult(new GossipResponse { State = new GossipState() });
    }

    void OnAnswer(string peer, Task<GossipResponse> answer)
    {
        if (!answer.IsCompletedSuccessfully)
        {
            if (_config.GossipDebugLogging) LogNoAnswer(_logger, peer, answer.Exception?.GetBaseException().Message ?? "cancelled");
            _peers.Failed(peer);
        }
        else if (answer.Result.Rejected)
        {
            if (_peers.Rejected(peer)) LeaveRemoved();
        }
        else
        {
            var response = answer.Result;
            _peers.Answered(peer);
            var updates = _machine.Merge(new GossipDelta(response.State, response.After), UnixMs());
            _machine.PeerKnows(peer, response.Known);
            if (_config.GossipDebugLogging) LogAnswer(_logger, peer, updates.Count);
            Use(updates);
        }

        ScheduleRound();
    }

    void OnHeartbeat()
    {
        foreach (var (key, value) in _heartbeats.Beat()) TrySet(key, Any.Pack(value));
    }

    void OnAnnounceLeaving(IContext context)
    {
        TrySet(GossipKeys.GracefullyLeft, Any.Pack(new Empty()));
        var heard = _peers.Ids.Where(id => !IsShunned(id)).Select(id => TellAsync(context, id)).ToArray();
        var leaver = context.Sender;
        // Whoever did not hear it learns it from the others, or from the provider.
        context.ReenterAfter(Task.WhenAll(heard).OnThisContext(), (Task _) =>
        {
            if (leaver is not null) context.Send(leaver, new LeavingAnnounced());
        });
    }

    /// <summary>What the cluster itself gossips takes effect here; everything is published.</summary>
    void Use(IReadOnlyList<GossipUpdate> updates)
    {
        if (updates.Count == 0) return;
        foreach (var update in updates)
        {
            _heartbeats.Use(update);
            _cluster.System.EventStream.Publish(update);
            if (string.Equals(update.Key, GossipKeys.GracefullyLeft, StringComparison.Ordinal)) _cluster.MemberList.MarkDeparted(update.MemberId);
        }

        Changed(updates.Select(update => update.Key).ToHashSet(StringComparer.Ordinal));
    }

    GossipLimitException? TrySet(string key, Any value)
    {
        try
        {
            _machine.Set(key, value, UnixMs());
            Changed(new HashSet<string>(StringComparer.Ordinal) { key });
            return null;
        }
        catch (GossipLimitException refused)
        {
            LogRefused(_logger, key, refused.Message);
            return refused;
        }
    }

    void Changed(IReadOnlySet<string> keys)
    {
        foreach (var check in _checks.AffectedBy(keys)) check.Run(_machine.Snapshot(), MemberIds());
        ScheduleRound();
    }

    void ScheduleRound()
    {
        if (_roundIsDue || !_peers.AnyFree(HasNewsFor)) return;
        _roundIsDue = true;
        _round?.Change(_config.GossipInterval, Timeout.InfiniteTimeSpan);
    }

    bool HasNewsFor(string peer) => !IsShunned(peer) && _machine.HasNewsFor(peer);

    bool IsShunned(string memberId) => _cluster.Remote.BlockList.IsBlocked(memberId) || _cluster.MemberList.HasDeparted(memberId);

    /// <summary>A majority has removed this member: what it hosts runs elsewhere by now.</summary>
    void LeaveRemoved()
    {
        // Also those that it told that it leaves reject it.
        if (_cluster.IsStopping) return;
        LogRemoved(_logger, _machine.Self);
        _ = _cluster.System.Config.Runtime.Run(() => _cluster.ShutdownAsync(graceful: false, "a majority of the members has removed this one"));
    }

    /// <summary>As the list has them now: a check must not find consensus without a member whose joining is still on its way to this actor.</summary>
    IImmutableSet<string> MemberIds() => _cluster.MemberList.GetMembers().Add(_machine.Self).ToImmutableSortedSet(StringComparer.Ordinal);

    Dictionary<string, long> Known() => new(_machine.Known(), StringComparer.Ordinal);

    long UnixMs() => _time.GetUtcNow().ToUnixTimeMilliseconds();

    [LoggerMessage(Level = LogLevel.Debug, Message = "Gossip tells {Peer} of {Count} members")]
    static partial void LogTelling(ILogger logger, string peer, int count);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Gossip was answered by {Peer} with {Count} changes")]
    static partial void LogAnswer(ILogger logger, string peer, int count);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Gossip was not answered by {Peer}: {Reason}")]
    static partial void LogNoAnswer(ILogger logger, string peer, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Gossip refused the entry '{Key}': {Reason}")]
    static partial void LogRefused(ILogger logger, string key, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "{MemberId} leaves: a majority of the members has removed it")]
    static partial void LogRemoved(ILogger logger, string memberId);
}
