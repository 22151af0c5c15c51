using Google.Protobuf;
using Microsoft.Extensions.Logging;

namespace Proto.Cluster.Gossip;

/// <summary>
/// This member's heartbeat and its watch over those of others. While <see cref="ClusterConfig.HeartbeatExpiration"/> is off nobody waits for
/// heartbeats, and one is set only when the statistics in it changed.
/// </summary>
sealed partial class Heartbeats
{
    static readonly TimeSpan StatisticsInterval = TimeSpan.FromSeconds(5);

    /// <summary>Heartbeats that fit into the time in which one must arrive.</summary>
    const int BeatsPerExpiration = 10;

    readonly Cluster _cluster;
    readonly ILogger _logger;
    readonly HeartbeatMonitor? _monitor;
    MemberHeartbeat? _lastBeat;
    ExpiredHeartbeats _lastMissed = new();
    Task _handling = Task.CompletedTask;

    public Heartbeats(Cluster cluster, ILogger logger)
    {
        _cluster = cluster;
        _logger = logger;
        var config = cluster.Config;
        if (config.HeartbeatExpiration == TimeSpan.Zero)
        {
            Interval = StatisticsInterval;
        }
        else
        {
            _monitor = new HeartbeatMonitor(cluster.System.Id, (long)config.HeartbeatExpiration.TotalMilliseconds);
            var wanted = config.HeartbeatExpiration / BeatsPerExpiration;
            Interval = wanted > config.GossipInterval ? wanted : config.GossipInterval;
        }
    }

    public TimeSpan Interval { get; }

    public void SetMembers(IEnumerable<string> memberIds) => _monitor?.SetMembers(memberIds, NowMs());

    public void Use(GossipUpdate update)
    {
        if (_monitor is null) return;
        switch (update.Key)
        {
            case GossipKeys.Heartbeat: _monitor.Heard(update.MemberId, update.SequenceNumber, NowMs()); break;
            case GossipKeys.Expired when update.Value.TryUnpack<ExpiredHeartbeats>(out var missed): _monitor.Said(update.MemberId, missed.LastHeartbeat); break;
        }
    }

    /// <summary>What this member has to set now.</summary>
    public IEnumerable<(string Key, IMessage Value)> Beat()
    {
        var beat = new MemberHeartbeat { ActorStatistics = new ActorStatistics { ActorCount = { CountActivations() } } };
        if (_monitor is not null || !beat.Equals(_lastBeat)) yield return (GossipKeys.Heartbeat, beat);
        _lastBeat = beat;
        if (_monitor is null) yield break;
        var missed = new ExpiredHeartbeats { LastHeartbeat = { new SortedDictionary<string, long>(new Dictionary<string, long>(_monitor.Expired(NowMs())), StringComparer.Ordinal) } };
        if (!missed.Equals(_lastMissed)) yield return (GossipKeys.Expired, missed);
        _lastMissed = missed;
        if (_handling.IsCompleted) _handling = _cluster.System.Config.Runtime.Run(HandleAsync);
    }

    public IReadOnlyList<string> Evictable() => _monitor?.Evictable(NowMs()) ?? [];

    async Task HandleAsync()
    {
        try
        {
            await _cluster.Config.HeartbeatExpirationHandler(_cluster);
        }
        catch (Exception failure)
        {
            // The handler is the user's: the next round calls it again.
            if (!_cluster.IsStopping) LogHandlerFailed(_logger, failure);
        }
    }

    Dictionary<string, long> CountActivations() =>
        _cluster.GetClusterKinds().Order(StringComparer.Ordinal).ToDictionary(kind => kind, kind => (long)_cluster.GetClusterKind(kind).Count, StringComparer.Ordinal);

    long NowMs() => (long)_cluster.System.Config.TimeProvider.GetElapsedTime(0).TotalMilliseconds;

    [LoggerMessage(Level = LogLevel.Error, Message = "The HeartbeatExpirationHandler failed")]
    static partial void LogHandlerFailed(ILogger logger, Exception failure);
}
