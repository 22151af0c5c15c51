using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Proto.Cluster.Gossip;

namespace Proto.Cluster;

/// <summary>
/// Who is in the cluster: those whom the provider last named, without the blocked and the departed ones. Every change is
/// published on the event stream as a <see cref="ClusterTopology"/>, one after the other in the order of the changes, and outside the lock:
/// a subscriber may ask and even change the list.
/// </summary>
public sealed partial record MemberList
{
    readonly Cluster _cluster;
    readonly ActorSystem _system;
    readonly ILogger _logger;
    readonly Lock _gate = new();
    readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly KindStrategies _strategies;
    readonly DepartedMembers _departed = new();
    readonly Queue<Action> _publications = new();
    IReadOnlyCollection<Member> _provided = [];
    CancellationTokenSource _topologyValidity = new();
    volatile MemberView _view = MemberView.Empty;
    bool _publishing;

    public MemberList(Cluster cluster, bool asClient)
    {
        _cluster = cluster;
        _system = cluster.System;
        _logger = _system.LoggerFactory.CreateLogger<MemberList>();
        _strategies = new KindStrategies(
            cluster.StrategyOf,
            new LogThrottle(_system.Config.TimeProvider, cluster.Config.MaxNumberOfEventsInRequestLogThrottlePeriod, cluster.Config.RequestLogThrottlePeriod),
            _logger);
        IsClient = asClient;
        var (host, port) = _system.GetAddress();
        Self = new Member
        {
            Id = _system.Id,
            Host = host,
            Port = port,
            StartedUnixMs = _system.Config.TimeProvider.GetUtcNow().ToUnixTimeMilliseconds(),
        };
        if (!asClient) Self.Kinds.AddRange(cluster.GetClusterKinds());
    }

    public Member Self { get; }

    /// <summary>Completes with the first topology that has this member (for a client: any member) in it.</summary>
    public Task Started => _started.Task;

    public string MemberId => _system.Id;

    public bool IsClient { get; }

    /// <summary>The list does not change any more.</summary>
    public bool Stopping { get; private set; }

    internal ulong TopologyHash => _view.TopologyHash;

    internal bool IsHostAt(string kind, string address) =>
        Array.Exists(_view.HostsOf(kind), host => string.Equals(host.Address, address, StringComparison.Ordinal));

    internal bool IsEmpty => _view.Members.Length == 0;

    public ImmutableHashSet<string> GetMembers() => _view.Ids;

    /// <summary>Called by the cluster provider with all current members, in any order. The same set twice changes nothing.</summary>
    public void UpdateClusterTopology(IReadOnlyCollection<Member> members)
    {
        lock (_gate) _provided = [.. members];
        Refresh();
    }

    /// <summary>Sends the message to the event stream of each member, where it is published.</summary>
    public void BroadcastEvent(object message, bool includeSelf = true)
    {
        foreach (var member in _view.Members)
        {
            if (!includeSelf && IsSelf(member)) continue;
            _system.Root.Send(PID.FromAddress(member.Address, EventStreamActor.Name), message);
        }
    }

    public bool ContainsMemberId(string memberId) => _view.Find(memberId) is not null;

    public bool TryGetMember(string memberId, out Member? value)
    {
        value = _view.Find(memberId);
        return value is not null;
    }

    /// <summary>Ordered by id, as all lists of members here.</summary>
    public Member[] GetAllMembers() => [.. _view.Members];

    public Member[] GetOtherMembers() => [.. _view.Members.Where(member => !IsSelf(member))];

    public Member[] GetMembersByKind(string kind) => [.. _view.HostsOf(kind)];

    /// <summary>The member that the kind's strategy chooses for a new activation.</summary>
    public Member? GetActivator(string kind, string requestSourceAddress)
    {
        lock (_gate) return _strategies.GetActivator(kind, requestSourceAddress);
    }

    /// <summary>Do all members see the same topology? Waits for it until the token is cancelled.</summary>
    public async Task<(bool consensus, ulong topologyHash)> TopologyConsensus(CancellationToken ct)
    {
        using var check = _cluster.Gossip.RegisterConsensusCheck<ClusterTopology, ulong>(GossipKeys.Topology, static topology => topology.TopologyHash);
        return await check.TryGetConsensus(ct);
    }

    internal bool AnyoneHosts(string kind) => _view.HostsOf(kind).Length > 0;

    /// <summary>It said itself that it leaves, or a majority misses it: it is out at once and for good, whatever the provider still names.</summary>
    internal void MarkDeparted(string memberId)
    {
        lock (_gate)
        {
            if (string.Equals(memberId, MemberId, StringComparison.Ordinal) || !_departed.Add(memberId)) return;
        }

        Refresh();
    }

    internal bool HasDeparted(string memberId)
    {
        lock (_gate) return _departed.Contains(memberId);
    }

    /// <summary>Takes in what changed beside the provider's list: the block list, and who departed.</summary>
    internal void Refresh()
    {
        lock (_gate)
        {
            if (Stopping) return;
            var before = _view;
            var after = MemberView.Of(_provided.Where(Counts));
            if (after.IsSameAs(before)) return;
            _strategies.Update(before, after);
            _view = after;
            var former = _topologyValidity;
            _topologyValidity = new CancellationTokenSource();
            var topology = Describe(before, after);
            _publications.Enqueue(() => Publish(topology, former));
            if (_publishing) return;
            _publishing = true;
        }

        PublishAll();
    }

    internal void Stop()
    {
        lock (_gate) Stopping = true;
        _started.TrySetCanceled();
    }

    bool IsSelf(Member member) => string.Equals(member.Id, MemberId, StringComparison.Ordinal);

    /// <summary>Nobody blocks itself: who is removed by the others learns it from them.</summary>
    bool Counts(Member member) => IsSelf(member) || !_departed.Contains(member.Id) && !_cluster.Remote.BlockList.IsBlocked(member.Id);

    ClusterTopology Describe(MemberView before, MemberView after)
    {
        var topology = new ClusterTopology { TopologyHash = after.TopologyHash, TopologyValidityToken = _topologyValidity.Token };
        topology.Members.AddRange(after.Members);
        topology.Joined.AddRange(after.Without(before));
        topology.Left.AddRange(before.Without(after));
        topology.Blocked.AddRange(_cluster.Remote.BlockList.BlockedMembers.Order(StringComparer.Ordinal));
        return topology;
    }

    /// <summary>One thread at a time publishes what all have queued.</summary>
    void PublishAll()
    {
        while (true)
        {
            Action publication;
            lock (_gate)
            {
                if (!_publications.TryDequeue(out publication!))
                {
                    _publishing = false;
                    return;
                }
            }

            publication();
        }
    }

    void Publish(ClusterTopology topology, CancellationTokenSource formerValidity)
    {
        foreach (var member in topology.Joined) LogJoined(_logger, member.Id, member.Address);
        foreach (var member in topology.Left) LogLeft(_logger, member.Id, member.Address);
        try
        {
            formerValidity.Cancel();
        }
        catch (AggregateException failure)
        {
            // Callbacks of others: the topology has changed all the same.
            LogCallbackFailed(_logger, failure);
        }

        _system.EventStream.Publish(topology);
        if (IsClient ? topology.Members.Count > 0 : topology.Members.Any(IsSelf)) _started.TrySetResult();
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Member {MemberId} at {Address} joined")]
    static partial void LogJoined(ILogger logger, string memberId, string address);

    [LoggerMessage(Level = LogLevel.Information, Message = "Member {MemberId} at {Address} left")]
    static partial void LogLeft(ILogger logger, string memberId, string address);

    [LoggerMessage(Level = LogLevel.Error, Message = "Callbacks of a TopologyValidityToken failed")]
    static partial void LogCallbackFailed(ILogger logger, Exception failure);
}
