using System.Collections.Immutable;
using Microsoft.Extensions.Logging;

namespace Proto.Cluster;

/// <summary>
/// Who is in the cluster, as the provider last said. Every change is published on the event stream as a <see cref="ClusterTopology"/>;
/// publications are in the order of the updates.
/// </summary>
public sealed partial record MemberList
{
    readonly Cluster _cluster;
    readonly ActorSystem _system;
    readonly ILogger _logger;
    readonly Lock _gate = new();
    readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly Dictionary<string, IMemberStrategy> _strategyByKind = new(StringComparer.Ordinal);
    CancellationTokenSource _topologyValidity = new();
    volatile View _view = View.Empty;

    public MemberList(Cluster cluster, bool asClient)
    {
        _cluster = cluster;
        _system = cluster.System;
        _logger = _system.LoggerFactory.CreateLogger<MemberList>();
        IsClient = asClient;
        var (host, port) = _system.GetAddress();
        Self = new Member { Id = _system.Id, Host = host, Port = port };
        if (!asClient) Self.Kinds.AddRange(cluster.GetClusterKinds());
    }

    public Member Self { get; }

    /// <summary>Completes with the first topology that has this member (for a client: any member) in it.</summary>
    public Task Started => _started.Task;

    public string MemberId => _system.Id;

    public bool IsClient { get; }

    public bool Stopping { get; private set; }

    public ImmutableHashSet<string> GetMembers() => _view.Ids;

    /// <summary>Called by the cluster provider with all current members, in any order. The same set twice changes nothing.</summary>
    public void UpdateClusterTopology(IReadOnlyCollection<Member> members)
    {
        lock (_gate)
        {
            if (Stopping) return;
            var before = _view;
            var blockList = _cluster.Remote.BlockList;
            var now = members.Where(member => !blockList.IsBlocked(member.Id))
                .DistinctBy(member => member.Id, StringComparer.Ordinal)
                .ToImmutableDictionary(member => member.Id, StringComparer.Ordinal);
            if (before.IsSameAs(now)) return;

            var after = new View(now);
            var joined = after.Members.Where(member => !before.ById.ContainsKey(member.Id)).ToArray();
            var left = before.Members.Where(member => !now.ContainsKey(member.Id)).ToArray();
            _view = after;
            foreach (var member in left) UpdateStrategies(member, present: false);
            foreach (var member in joined) UpdateStrategies(member, present: true);

            var former = _topologyValidity;
            _topologyValidity = new CancellationTokenSource();
            var topology = new ClusterTopology { TopologyHash = after.TopologyHash, TopologyValidityToken = _topologyValidity.Token };
            topology.Members.AddRange(after.Members);
            topology.Joined.AddRange(joined);
            topology.Left.AddRange(left);
            topology.Blocked.AddRange(blockList.BlockedMembers.Order(StringComparer.Ordinal));
            foreach (var member in joined) LogJoined(_logger, member.Id, member.Address);
            foreach (var member in left) LogLeft(_logger, member.Id, member.Address);
            former.Cancel();
            _system.EventStream.Publish(topology);
            if (IsClient ? after.Members.Length > 0 : now.ContainsKey(MemberId)) _started.TrySetResult();
        }
    }

    /// <summary>Publishes the message on the event stream of each member.</summary>
    public void BroadcastEvent(object message, bool includeSelf = true)
    {
        foreach (var member in _view.Members)
        {
            if (!includeSelf && string.Equals(member.Id, MemberId, StringComparison.Ordinal)) continue;
            _system.Root.Send(PID.FromAddress(member.Address, EventStreamActor.Name), message);
        }
    }

    public bool ContainsMemberId(string memberId) => _view.ById.ContainsKey(memberId);

    public bool TryGetMember(string memberId, out Member? value) => _view.ById.TryGetValue(memberId, out value);

    public Member[] GetAllMembers() => [.. _view.Members];

    public Member[] GetOtherMembers() => [.. _view.Members.Where(member => !string.Equals(member.Id, MemberId, StringComparison.Ordinal))];

    public Member[] GetMembersByKind(string kind) => [.. _view.HostsOf(kind)];

    /// <summary>The member that the kind's strategy chooses for a new activation.</summary>
    public Member? GetActivator(string kind, string requestSourceAddress)
    {
        lock (_gate) return _strategyByKind.TryGetValue(kind, out var strategy) ? strategy.GetActivator(requestSourceAddress) : null;
    }

    internal ulong TopologyHash => _view.TopologyHash;

    internal bool AnyoneHosts(string kind) => _view.HostsOf(kind).Length > 0;

    internal bool IsEmpty => _view.Members.Length == 0;

    internal void Stop()
    {
        lock (_gate) Stopping = true;
        _started.TrySetCanceled();
    }

    void UpdateStrategies(Member member, bool present)
    {
        foreach (var kind in member.Kinds)
        {
            if (!_strategyByKind.TryGetValue(kind, out var strategy)) _strategyByKind[kind] = strategy = _cluster.StrategyOf(kind);
            if (present) strategy.AddMember(member);
            else strategy.RemoveMember(member);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Member {MemberId} at {Address} joined")]
    static partial void LogJoined(ILogger logger, string memberId, string address);

    [LoggerMessage(Level = LogLevel.Information, Message = "Member {MemberId} at {Address} left")]
    static partial void LogLeft(ILogger logger, string memberId, string address);

    /// <summary>One immutable state of the list.</summary>
    sealed class View
    {
        public static readonly View Empty = new(ImmutableDictionary.Create<string, Member>(StringComparer.Ordinal));

        readonly Dictionary<string, Member[]> _hostsByKind;

        public View(ImmutableDictionary<string, Member> byId)
        {
            ById = byId;
            Ids = byId.Keys.ToImmutableHashSet(StringComparer.Ordinal);
            Members = [.. byId.Values.OrderBy(member => member.Id, StringComparer.Ordinal)];
            TopologyHash = Member.TopologyHash64(Members);
            _hostsByKind = Members
                .SelectMany(member => member.Kinds.Select(kind => (kind, member)))
                .GroupBy(host => host.kind, StringComparer.Ordinal)
                .ToDictionary(hosts => hosts.Key, hosts => hosts.Select(host => host.member).ToArray(), StringComparer.Ordinal);
        }

        public ImmutableDictionary<string, Member> ById { get; }
        public ImmutableHashSet<string> Ids { get; }
        public Member[] Members { get; }
        public ulong TopologyHash { get; }

        public Member[] HostsOf(string kind) => _hostsByKind.TryGetValue(kind, out var hosts) ? hosts : [];

        /// <summary>By the members themselves, not by a hash of them.</summary>
        public bool IsSameAs(ImmutableDictionary<string, Member> other) =>
            other.Count == ById.Count && other.All(entry => ById.TryGetValue(entry.Key, out var member) && member.Equals(entry.Value));
    }
}
