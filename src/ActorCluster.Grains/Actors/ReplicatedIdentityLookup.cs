using ActorCluster.Keyspace.Actors;
using ActorCluster.Membership;
using ActorCluster.Protocol;
using ActorCluster.Protocol.Grains;
using Proto;
using Proto.Cluster;
using Proto.Cluster.Identity;
using Failure = ActorCluster.Protocol.Failure;

namespace ActorCluster.Grains.Actors;

/// <summary>
/// A virtual actor cannot be activated, and trying again does not help: the kind is unknown, the identity malformed, or its
/// own code failed. Derives from the one exception that a cluster request passes on at once.
/// </summary>
public sealed class GrainActivationException(ClusterIdentity identity, Failure failure) : IdentityIsBlockedException(identity)
{
    /// <summary>What failed. NotExecuted.</summary>
    public Failure Failure { get; } = failure;

    public override string Message => Failure.Message;
}

/// <summary>
/// Finds virtual actors through the partition map: an identity lives with the leader of its partition, whose actor
/// <c>grains</c> activates it. Answers are kept in the <see cref="IdentityTable"/>, which members that leave or become
/// Unreachable invalidate. Safe to call from any thread.
/// </summary>
public sealed class ReplicatedIdentityLookup : IIdentityLookup
{
    readonly Lock _gate = new();
    readonly KeyspaceState _state;
    readonly TimeProvider _time;
    readonly DeadlineTokens _deadlines;
    readonly GrainOptions _options;
    readonly IdentityTable _table;
    readonly Dictionary<(string Kind, string Identity), Epoch> _refused = [];
    readonly long _start;
    ActorSystem? _system;

    public ReplicatedIdentityLookup(KeyspaceState state, GrainOptions options, TimeProvider time, int capacity = 100_000)
    {
        _state = state;
        _options = options;
        _time = time;
        _deadlines = new DeadlineTokens(time);
        _table = new IdentityTable(capacity);
        _start = time.GetTimestamp();
    }

    public Task SetupAsync(Cluster cluster, string[] kinds, bool isClient)
    {
        _system = cluster.System;
        return Task.CompletedTask;
    }

    public Task ShutdownAsync() => Task.CompletedTask;

    /// <summary>Takes a membership in: entries at members that left, restarted or became Unreachable go.</summary>
    public void Update(MembershipSnapshot members)
    {
        IReadOnlyList<IdentityEvent> events;
        lock (_gate)
        {
            _table.Update(members.View, members.Members.Values.Select(m => new IdentityMember(m.Uid, m.Incarnation, m.Address, m.State)), NowMs);
            events = _table.TakeEvents();
        }

        foreach (var e in events) _system?.EventStream.Publish(e);
    }

    /// <summary>Whether a PID in its text form may be sent to (rows B21 to B25).</summary>
    public ResolveResult ResolvePid(string text)
    {
        lock (_gate) return _table.ResolvePid(text, NowMs);
    }

    /// <exception cref="GrainActivationException">It cannot be activated, and trying again does not help.</exception>
    public async Task<PID?> GetAsync(ClusterIdentity clusterIdentity, CancellationToken ct)
    {
        var system = _system ?? throw new InvalidOperationException("the cluster was not started");
        var (kind, identity) = (clusterIdentity.Kind, clusterIdentity.Identity);
        if (kind == GrainHost.KvKind && KvGrain(system, identity) is { } kv) return kv;

        var locate = new Locate { Kind = kind, Identity = identity };
        lock (_gate)
        {
            var known = _table.Resolve(kind, identity, NowMs);
            if (known.IsReady) return PID.FromAddress(known.Path!.Authority, known.Path.Id);
            if (_refused.Remove((kind, identity), out var refused)) locate.Refused = refused.ToMessage();
        }

        var located = await AskAsync(system, locate, ct);
        if (located is null) return null;
        if (located.Failure is { } failure)
        {
            if (IsFinal(failure.Code)) throw new GrainActivationException(clusterIdentity, failure);
            return null;
        }

        IReadOnlyList<IdentityEvent> events;
        lock (_gate)
        {
            _table.Learn(kind, identity, new ActorPath(located.Address, located.Id), Epoch.From(located.Epoch), NowMs);
            events = _table.TakeEvents();
        }

        foreach (var e in events) system.EventStream.Publish(e);
        return PID.FromAddress(located.Address, located.Id);
    }

    public Task RemovePidAsync(ClusterIdentity clusterIdentity, PID pid, CancellationToken ct)
    {
        if (!GrainAddress.TryParse(pid.Id, out var address, out _)) return Task.CompletedTask;
        var key = (clusterIdentity.Kind, clusterIdentity.Identity);
        lock (_gate)
        {
            _table.Refuse(key.Kind, key.Identity, address.Epoch, NowMs);
            // Bounded: a hint that is lost costs one more attempt.
            if (_refused.Count >= IdentityTable.MaxQuarantined) _refused.Clear();
            if (!_refused.TryGetValue(key, out var refused) || refused < address.Epoch) _refused[key] = address.Epoch;
        }

        return Task.CompletedTask;
    }

    long NowMs => (long)_time.GetElapsedTime(_start).TotalMilliseconds;

    PID? KvGrain(ActorSystem system, string key)
    {
        if (_state.Map is not { } map) return null;
        var partition = map.Find(key);
        var route = _state.Route(partition);
        return route.Local is { } local ? PID.FromAddress(system.Address, KeyspaceState.KvGrainId(partition, local.Group.Status.Term)) : route.Remote;
    }

    /// <summary>Asks the leader's node when it is known, this node's own host otherwise (which passes the question on).</summary>
    async Task<Located?> AskAsync(ActorSystem system, Locate locate, CancellationToken ct)
    {
        var address = system.Address;
        if (_state.Map is { } map && _state.Route(map.Find(locate.Identity)).Remote is { } leader)
        {
            address = leader.Address;
            locate.Forwarded = true;
        }

        try
        {
            var token = _deadlines.After(_options.ActivationTimeout);
            return await system.Root.RequestAsync<Located>(PID.FromAddress(address, GrainHost.ActorName), locate, token).WaitAsync(ct);
        }
        catch (Exception e) when (e is DeadLetterException or TimeoutException or OperationCanceledException)
        {
            // The node is gone or does not answer: the caller looks again until its own time is over.
            return null;
        }
    }

    static bool IsFinal(ErrorCode code) =>
        code is ErrorCode.UnknownKind or ErrorCode.ActivationFailed or ErrorCode.InvalidArgument or ErrorCode.KeyTooLong or ErrorCode.Overloaded;
}
