using System.Collections.Immutable;
using Proto.Cluster.Gossip;
using Proto.Cluster.Identity;

namespace Proto.Cluster;

/// <summary>
/// Settings of a cluster. Immutable; <see cref="Cluster"/> checks them all when it is made and throws a <see cref="ClusterConfigException"/>
/// that names the field and its limit.
/// </summary>
public partial record ClusterConfig
{
    ClusterConfig(string clusterName, IClusterProvider clusterProvider, IIdentityLookup identityLookup)
    {
        ClusterName = clusterName;
        ClusterProvider = clusterProvider;
        IdentityLookup = identityLookup;
    }

    public string ClusterName { get; }

    public IClusterProvider ClusterProvider { get; }

    public IIdentityLookup IdentityLookup { get; }

    public ImmutableList<ClusterKind> ClusterKinds { get; init; } = [];

    /// <summary>How long one request waits for its reply. When it ends the request may have been executed: it is not sent again.</summary>
    public TimeSpan ActorRequestTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long <see cref="CanSpawnIdentity"/> may take to decide.</summary>
    public TimeSpan ActorSpawnVerificationTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long one lookup may take.</summary>
    public TimeSpan ActorActivationTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Period in which at most <see cref="MaxNumberOfEventsInRequestLogThrottlePeriod"/> failures of requests are logged.</summary>
    public TimeSpan RequestLogThrottlePeriod { get; init; } = TimeSpan.FromSeconds(2);

    public int MaxNumberOfEventsInRequestLogThrottlePeriod { get; init; } = 3;

    /// <summary>How long kinds with <see cref="DeduplicationExtensions.WithClusterRequestDeduplication"/> that name no window remember a request.</summary>
    public TimeSpan ClusterRequestDeDuplicationWindow { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>An entry of the PID cache that nobody used for this long is forgotten.</summary>
    public TimeSpan RemotePidCacheTimeToLive { get; init; } = TimeSpan.FromMinutes(15);

    public TimeSpan RemotePidCacheClearInterval { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Most entries of the PID cache; beyond it those that nobody used lately are forgotten.</summary>
    public int RemotePidCacheMaxEntries { get; init; } = 500_000;

    /// <summary>Pause between two rounds of gossip. A round that has nothing to tell sends nothing.</summary>
    public TimeSpan GossipInterval { get; init; } = TimeSpan.FromMilliseconds(300);

    /// <summary>How long the answer of one member is waited for.</summary>
    public TimeSpan GossipRequestTimeout { get; init; } = TimeSpan.FromMilliseconds(1500);

    /// <summary>Most members that one round tells.</summary>
    public int GossipFanout { get; init; } = 3;

    /// <summary>Most entries (a key of a member) in one message; the rest follows in later rounds.</summary>
    public int GossipMaxSend { get; init; } = 50;

    /// <summary>Log every exchange of gossip, at debug level.</summary>
    public bool GossipDebugLogging { get; init; }

    /// <summary>
    /// A member whose heartbeat was not renewed for this long counts as expired here; it is removed once a majority of all members says the
    /// same. Zero (the default): heartbeats are not watched, and only the cluster provider removes members.
    /// </summary>
    public TimeSpan HeartbeatExpiration { get; init; } = TimeSpan.Zero;

    /// <summary>What is done in each round of heartbeats, while <see cref="HeartbeatExpiration"/> is on. One call at a time; may take its time.</summary>
    public Func<Cluster, Task> HeartbeatExpirationHandler { get; init; } = Gossiper.BlockExpiredMembers;

    /// <summary>The longest that each step of <see cref="Cluster.ShutdownAsync"/> may take.</summary>
    public TimeSpan ShutdownStepTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The strategy of kinds that name none, and of kinds that only others host.</summary>
    public Func<Cluster, string, IMemberStrategy> MemberStrategyBuilder { get; init; } = static (_, _) => new SimpleMemberStrategy();

    public Func<Cluster, IClusterContext> ClusterContextProducer { get; init; } = static cluster => new DefaultClusterContext(cluster);

    /// <inheritdoc cref="WithLegacyRequestTimeoutBehavior"/>
    public bool LegacyRequestTimeoutBehavior { get; init; }

    /// <inheritdoc cref="WithExitOnShutdown"/>
    public bool ExitOnShutdown { get; init; }

    public static ClusterConfig Setup(string clusterName, IClusterProvider clusterProvider, IIdentityLookup identityLookup) =>
        new(clusterName, clusterProvider, identityLookup);
}
