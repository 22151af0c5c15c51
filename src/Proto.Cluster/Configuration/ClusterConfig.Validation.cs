namespace Proto.Cluster;

public partial record ClusterConfig
{
    const int MaxNameChars = 256;
    const int MaxKinds = 10_000;
    static readonly TimeSpan ShortestTime = TimeSpan.FromMilliseconds(1);

    /// <exception cref="ClusterConfigException">A setting is outside its limits.</exception>
    internal void Validate()
    {
        SettingLimits.Name(nameof(ClusterName), ClusterName, MaxNameChars);
        SettingLimits.Given(nameof(ClusterProvider), ClusterProvider);
        SettingLimits.Given(nameof(IdentityLookup), IdentityLookup);
        SettingLimits.Given(nameof(MemberStrategyBuilder), MemberStrategyBuilder);
        SettingLimits.Given(nameof(ClusterContextProducer), ClusterContextProducer);
        SettingLimits.Given(nameof(HeartbeatExpirationHandler), HeartbeatExpirationHandler);
        ValidateKinds();

        SettingLimits.Time(nameof(ActorRequestTimeout), ActorRequestTimeout, ShortestTime);
        SettingLimits.Time(nameof(ActorSpawnVerificationTimeout), ActorSpawnVerificationTimeout, ShortestTime);
        SettingLimits.Time(nameof(ActorActivationTimeout), ActorActivationTimeout, ShortestTime);
        SettingLimits.Time(nameof(RequestLogThrottlePeriod), RequestLogThrottlePeriod, ShortestTime);
        SettingLimits.Number(nameof(MaxNumberOfEventsInRequestLogThrottlePeriod), MaxNumberOfEventsInRequestLogThrottlePeriod, 0, int.MaxValue);
        SettingLimits.Time(nameof(ClusterRequestDeDuplicationWindow), ClusterRequestDeDuplicationWindow, ShortestTime);
        SettingLimits.Time(nameof(RemotePidCacheTimeToLive), RemotePidCacheTimeToLive, ShortestTime);
        SettingLimits.Time(nameof(RemotePidCacheClearInterval), RemotePidCacheClearInterval, ShortestTime);
        SettingLimits.Number(nameof(RemotePidCacheMaxEntries), RemotePidCacheMaxEntries, 1, int.MaxValue);
        SettingLimits.Time(nameof(ShutdownStepTimeout), ShutdownStepTimeout, ShortestTime);

        SettingLimits.Time(nameof(GossipInterval), GossipInterval, ShortestTime);
        SettingLimits.Time(nameof(GossipRequestTimeout), GossipRequestTimeout, ShortestTime);
        SettingLimits.Number(nameof(GossipFanout), GossipFanout, 1, 1000);
        SettingLimits.Number(nameof(GossipMaxSend), GossipMaxSend, 1, 100_000);
        // A heartbeat needs some rounds to get around.
        if (HeartbeatExpiration != TimeSpan.Zero) SettingLimits.Time(nameof(HeartbeatExpiration), HeartbeatExpiration, 3 * GossipInterval);
    }

    void ValidateKinds()
    {
        SettingLimits.Number($"{nameof(ClusterKinds)}.{nameof(ClusterKinds.Count)}", ClusterKinds.Count, 0, MaxKinds);
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var kind in ClusterKinds)
        {
            SettingLimits.Given(nameof(ClusterKinds), kind);
            SettingLimits.Name($"{nameof(ClusterKind)}.{nameof(ClusterKind.Name)}", kind.Name, MaxNameChars);
            SettingLimits.Given($"{nameof(ClusterKind)}.{nameof(ClusterKind.Props)}", kind.Props);
            if (!names.Add(kind.Name)) throw new ClusterConfigException(nameof(ClusterKinds), $"'{kind.Name}' twice", "a list of kinds with different names");
        }
    }
}
