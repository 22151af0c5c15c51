using System.Collections.Immutable;
using Proto.Cluster.Identity;

namespace Proto.Cluster;

public record ClusterConfig
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

    public TimeSpan ActorSpawnVerificationTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long one lookup may take.</summary>
    public TimeSpan ActorActivationTimeout { get; init; } = TimeSpan.FromSeconds(5);

    public TimeSpan RequestLogThrottlePeriod { get; init; } = TimeSpan.FromSeconds(2);

    public int MaxNumberOfEventsInRequestLogThrottlePeriod { get; init; } = 3;

    /// <summary>An entry of the PID cache that nobody used for this long is forgotten.</summary>
    public TimeSpan RemotePidCacheTimeToLive { get; init; } = TimeSpan.FromMinutes(15);

    public TimeSpan RemotePidCacheClearInterval { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Most entries of the PID cache; beyond it those that nobody used lately are forgotten.</summary>
    public int RemotePidCacheMaxEntries { get; init; } = 500_000;

    /// <summary>The longest that each step of <see cref="Cluster.ShutdownAsync"/> may take.</summary>
    public TimeSpan ShutdownStepTimeout { get; init; } = TimeSpan.FromSeconds(5);

    public Func<Cluster, string, IMemberStrategy> MemberStrategyBuilder { get; init; } = static (_, _) => new RoundRobinMemberStrategy();

    public Func<Cluster, IClusterContext> ClusterContextProducer { get; init; } = static cluster => new DefaultClusterContext(cluster);

    public bool LegacyRequestTimeoutBehavior { get; init; }

    public bool ExitOnShutdown { get; init; }

    public static ClusterConfig Setup(string clusterName, IClusterProvider clusterProvider, IIdentityLookup identityLookup) =>
        new(clusterName, clusterProvider, identityLookup);

    public ClusterConfig WithActorRequestTimeout(TimeSpan timeout) => this with { ActorRequestTimeout = timeout };

    public ClusterConfig WithActorSpawnVerificationTimeout(TimeSpan timeout) => this with { ActorSpawnVerificationTimeout = timeout };

    public ClusterConfig WithActorActivationTimeout(TimeSpan timeout) => this with { ActorActivationTimeout = timeout };

    public ClusterConfig WithRequestLogThrottlePeriod(TimeSpan timeSpan) => this with { RequestLogThrottlePeriod = timeSpan };

    public ClusterConfig WithMaxNumberOfEventsInRequestLogThrottlePeriod(int max) => this with { MaxNumberOfEventsInRequestLogThrottlePeriod = max };

    public ClusterConfig WithClusterKind(string kind, Props prop) => WithClusterKind(new ClusterKind(kind, prop));

    public ClusterConfig WithClusterKind(string kind, Props prop, Func<Cluster, IMemberStrategy> strategyBuilder) =>
        WithClusterKind(new ClusterKind(kind, prop) { StrategyBuilder = strategyBuilder });

    public ClusterConfig WithClusterKind(ClusterKind kind) => WithClusterKinds(kind);

    public ClusterConfig WithClusterKinds(params ClusterKind[] kinds) => this with { ClusterKinds = ClusterKinds.AddRange(kinds) };

    public ClusterConfig WithClusterKinds(params (string kind, Props prop)[] knownKinds) =>
        WithClusterKinds([.. knownKinds.Select(known => new ClusterKind(known.kind, known.prop))]);

    public ClusterConfig WithClusterKinds(params (string kind, Props prop, Func<Cluster, IMemberStrategy> strategyBuilder)[] knownKinds) =>
        WithClusterKinds([.. knownKinds.Select(known => new ClusterKind(known.kind, known.prop) { StrategyBuilder = known.strategyBuilder })]);

    public ClusterConfig WithMemberStrategyBuilder(Func<Cluster, string, IMemberStrategy> builder) => this with { MemberStrategyBuilder = builder };

    public ClusterConfig WithClusterContextProducer(Func<Cluster, IClusterContext> producer) => this with { ClusterContextProducer = producer };

    public ClusterConfig WithRemotePidCacheTimeToLive(TimeSpan timeout) => this with { RemotePidCacheTimeToLive = timeout };

    /// <summary>A timed-out request returns null instead of throwing <see cref="TimeoutException"/>.</summary>
    public ClusterConfig WithLegacyRequestTimeoutBehavior(bool enabled = true) => this with { LegacyRequestTimeoutBehavior = enabled };

    /// <summary>Ends the OS process when the cluster was shut down.</summary>
    public ClusterConfig WithExitOnShutdown(bool enabled = true) => this with { ExitOnShutdown = enabled };
}
