using System.Collections.Immutable;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Microsoft.Extensions.Logging;

namespace Proto.Cluster.Gossip;

/// <summary>
/// State that every member publishes about itself and that spreads to all others: few, small entries by key. A member changes only its own
/// entries; the newest one of each counts, and what a member published is forgotten when it is no member any more.
/// </summary>
public partial class Gossiper
{
    public const string GossipActorName = "$gossip";

    readonly Cluster _cluster;
    readonly ILogger _logger;
    readonly GossipStateMachine _machine;
    readonly RunningConsensusChecks _checks = new();
    EventStreamSubscription<object>? _topologies;
    volatile PID? _actor;

    internal Gossiper(Cluster cluster)
    {
        _cluster = cluster;
        _logger = cluster.System.LoggerFactory.CreateLogger<Gossiper>();
        // Outlives a restart of the actor: numbers once given must not be given again.
        _machine = new GossipStateMachine(cluster.System.Id);
    }

    /// <summary>What is known here of all members, this one included. Messages in it are shared: do not change them.</summary>
    /// <exception cref="GossipStoppedException">Gossip does not run.</exception>
    public Task<GossipState> GetStateSnapshot() => AskAsync<GossipState>(new GetGossipState());

    /// <summary>The key's value by member id. Values of another type are left out.</summary>
    /// <inheritdoc cref="GetStateSnapshot" path="/exception"/>
    public async Task<ImmutableDictionary<string, T>> GetState<T>(string key) where T : IMessage, new()
    {
        var values = ImmutableDictionary.CreateBuilder<string, T>(StringComparer.Ordinal);
        foreach (var (memberId, entry) in await GetStateEntry(key))
        {
            if (entry.Value.TryUnpack<T>(out var value)) values.Add(memberId, value);
        }

        return values.ToImmutable();
    }

    /// <summary>The key's entry by member id, with its number and the time of its arrival here.</summary>
    /// <inheritdoc cref="GetStateSnapshot" path="/exception"/>
    public async Task<ImmutableDictionary<string, GossipKeyValue>> GetStateEntry(string key)
    {
        var entries = ImmutableDictionary.CreateBuilder<string, GossipKeyValue>(StringComparer.Ordinal);
        foreach (var (memberId, member) in (await GetStateSnapshot()).Members)
        {
            if (member.Values.TryGetValue(key, out var entry)) entries.Add(memberId, entry);
        }

        return entries.ToImmutable();
    }

    /// <summary>
    /// Publishes a value of this member; the message may be changed afterwards. Does not wait: <see cref="SetStateAsync"/> tells when it is set, and
    /// when there are too many keys.
    /// </summary>
    /// <inheritdoc cref="SetStateAsync" path="/exception"/>
    public void SetState(string key, IMessage value) => _cluster.System.Root.Send(Running(), Pack(key, value));

    /// <summary>Publishes a value of this member. Completes when it is set here; it spreads in the rounds that follow.</summary>
    /// <exception cref="GossipLimitException">Key or value is too large, or there are too many keys.</exception>
    /// <exception cref="GossipStoppedException">Gossip does not run.</exception>
    public async Task SetStateAsync(string key, IMessage value)
    {
        if ((await AskAsync<GossipStateSet>(Pack(key, value))).Refused is { } refused) throw refused;
    }

    /// <summary>Watches for all members having published an equal value under the key.</summary>
    public IConsensusHandle<TV> RegisterConsensusCheck<T, TV>(string key, Func<T, TV?> getValue) where T : notnull, IMessage, new() =>
        RegisterConsensusCheck(ConsensusCheckBuilder<TV>.Create(key, getValue));

    /// <summary>Watches for what the definition says.</summary>
    /// <exception cref="GossipStoppedException">Gossip does not run.</exception>
    public IConsensusHandle<T> RegisterConsensusCheck<T>(IConsensusCheckDefinition<T> consensusDefinition)
    {
        var actor = Running();
        var handle = new ConsensusHandle<T>(consensusDefinition, _cluster.System.Config.TimeProvider, _checks.Remove);
        _checks.Add(handle);
        _cluster.System.Root.Send(actor, new RunConsensusCheck(handle));
        return handle;
    }

    /// <summary>
    /// Removes the members whose heartbeat expired for this member and for a majority of all (the default
    /// <see cref="ClusterConfig.HeartbeatExpirationHandler"/>). They cannot come back under their id: one that is alive is told so when it
    /// gossips, and shuts down. Does nothing while heartbeats are not watched.
    /// </summary>
    public static async Task BlockExpiredMembers(Cluster cluster)
    {
        var expired = await cluster.Gossip.AskAsync<EvictableMembers>(new GetEvictableMembers());
        foreach (var memberId in expired.MemberIds)
        {
            LogExpired(cluster.Gossip._logger, memberId);
            cluster.MemberList.MarkDeparted(memberId);
        }
    }

    internal void Start()
    {
        var actor = _cluster.System.Root.SpawnNamedSystem(
            Props.FromProducer(() => new GossipActor(_cluster, _machine, _checks, _logger)), GossipActorName);
        _topologies = _cluster.System.EventStream.Subscribe<ClusterTopology>(
            // The list's own, and no message of this type that somebody broadcast.
            topology => topology.TopologyValidityToken is not null, topology => _cluster.System.Root.Send(actor, topology));
        _actor = actor;
    }

    /// <summary>Tells the others that this member leaves. Nothing to do where gossip does not run.</summary>
    internal Task AnnounceLeavingAsync() => _actor is null ? Task.CompletedTask : AskAsync<LeavingAnnounced>(new AnnounceLeaving());

    internal async Task StopAsync()
    {
        var actor = _actor;
        _actor = null;
        _topologies?.Unsubscribe();
        if (actor is not null) await _cluster.System.Root.StopAsync(actor);
    }

    PID Running() => _actor ?? throw new GossipStoppedException(
        "gossip does not run on this system: the cluster was not started as a member, or was shut down");

    static SetGossipState Pack(string key, IMessage value)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(value);
        var any = Any.Pack(value);
        return GossipStateMachine.FindViolation(key, any) is { } violation ? throw violation : new SetGossipState(key, any);
    }

    async Task<T> AskAsync<T>(object message)
    {
        try
        {
            return await _cluster.System.Root.RequestAsync<T>(Running(), message);
        }
        catch (DeadLetterException gone)
        {
            throw new GossipStoppedException("gossip was stopped before it answered: the cluster is being shut down", gone);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Member {MemberId} is removed: its heartbeat expired for a majority of the members")]
    static partial void LogExpired(ILogger logger, string memberId);
}
