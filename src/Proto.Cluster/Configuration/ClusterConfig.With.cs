namespace Proto.Cluster;

public partial record ClusterConfig
{
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

    public ClusterConfig WithGossipInterval(TimeSpan interval) => this with { GossipInterval = interval };

    public ClusterConfig WithGossipFanOut(int fanout) => this with { GossipFanout = fanout };

    public ClusterConfig WithGossipMaxSend(int maxSend) => this with { GossipMaxSend = maxSend };

    public ClusterConfig WithGossipRequestTimeout(TimeSpan timeout) => this with { GossipRequestTimeout = timeout };

    public ClusterConfig WithGossipDebugLogging(bool enabled = true) => this with { GossipDebugLogging = enabled };

    /// <inheritdoc cref="HeartbeatExpiration"/>
    public ClusterConfig WithHeartbeatExpiration(TimeSpan expiration) => this with { HeartbeatExpiration = expiration };

    public ClusterConfig WithHeartbeatExpirationDisabled() => this with { HeartbeatExpiration = TimeSpan.Zero };

    /// <inheritdoc cref="HeartbeatExpirationHandler"/>
    public ClusterConfig WithHeartbeatExpirationHandler(Func<Cluster, Task> handler) => this with { HeartbeatExpirationHandler = handler };

    /// <inheritdoc cref="ClusterRequestDeDuplicationWindow"/>
    public ClusterConfig WithClusterRequestDeDuplicationWindow(TimeSpan window) => this with { ClusterRequestDeDuplicationWindow = window };

    public ClusterConfig WithRemotePidCacheTimeToLive(TimeSpan timeout) => this with { RemotePidCacheTimeToLive = timeout };

    /// <summary>A timed-out request returns null instead of throwing <see cref="TimeoutException"/>.</summary>
    public ClusterConfig WithLegacyRequestTimeoutBehavior(bool enabled = true) => this with { LegacyRequestTimeoutBehavior = enabled };

    /// <summary>Ends the OS process when the cluster was shut down.</summary>
    public ClusterConfig WithExitOnShutdown(bool enabled = true) => this with { ExitOnShutdown = enabled };
}
