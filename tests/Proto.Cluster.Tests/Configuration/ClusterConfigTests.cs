using Proto.Cluster.PartitionActivator;
using Proto.Cluster.Testing;
using Proto.Cluster.Tests.Messages;
using Proto.Remote;
using Proto.Remote.GrpcNet;

namespace Proto.Cluster.Tests.Configuration;

public sealed class ClusterConfigTests
{
    static readonly TimeSpan TooLong = TimeSpan.FromDays(2);

    public static TheoryData<string, Func<ClusterConfig, ClusterConfig>> OutOfLimits => new()
    {
        { "ActorRequestTimeout", config => config.WithActorRequestTimeout(TimeSpan.Zero) },
        { "ActorSpawnVerificationTimeout", config => config.WithActorSpawnVerificationTimeout(TooLong) },
        { "ActorActivationTimeout", config => config.WithActorActivationTimeout(TimeSpan.FromSeconds(-1)) },
        { "RequestLogThrottlePeriod", config => config.WithRequestLogThrottlePeriod(TimeSpan.Zero) },
        { "MaxNumberOfEventsInRequestLogThrottlePeriod", config => config.WithMaxNumberOfEventsInRequestLogThrottlePeriod(-1) },
        { "ClusterRequestDeDuplicationWindow", config => config.WithClusterRequestDeDuplicationWindow(TimeSpan.Zero) },
        { "RemotePidCacheTimeToLive", config => config.WithRemotePidCacheTimeToLive(TimeSpan.Zero) },
        { "RemotePidCacheClearInterval", config => config with { RemotePidCacheClearInterval = TooLong } },
        { "RemotePidCacheMaxEntries", config => config with { RemotePidCacheMaxEntries = 0 } },
        { "ShutdownStepTimeout", config => config with { ShutdownStepTimeout = Timeout.InfiniteTimeSpan } },
        { "GossipInterval", config => config.WithGossipInterval(TimeSpan.Zero) },
        { "GossipRequestTimeout", config => config.WithGossipRequestTimeout(TooLong) },
        { "GossipFanout", config => config.WithGossipFanOut(0) },
        { "GossipMaxSend", config => config.WithGossipMaxSend(0) },
        { "HeartbeatExpiration", config => config.WithHeartbeatExpiration(config.GossipInterval) },
        { "HeartbeatExpirationHandler", config => config.WithHeartbeatExpirationHandler(null!) },
        { "MemberStrategyBuilder", config => config.WithMemberStrategyBuilder(null!) },
        { "ClusterContextProducer", config => config.WithClusterContextProducer(null!) },
        { "ClusterKind.Name", config => config.WithClusterKind("", Props.Empty) },
        { "ClusterKind.Props", config => config.WithClusterKind("kind", null!) },
        { "ClusterKinds", config => config.WithClusterKinds(("kind", Props.Empty), ("kind", Props.Empty)) },
        { "ClusterName", _ => Config("") },
        { "ClusterName", _ => Config(new string('n', 257)) },
        { "ClusterProvider", _ => ClusterConfig.Setup("test", null!, new PartitionActivatorLookup()) },
        { "IdentityLookup", _ => ClusterConfig.Setup("test", new TestProvider(new TestProviderOptions(), new InMemAgent()), null!) },
    };

    [Theory]
    [MemberData(nameof(OutOfLimits))]
    public async Task A_setting_outside_its_limits_is_refused_by_name(string field, Func<ClusterConfig, ClusterConfig> spoil)
    {
        await using var system = new ActorSystem().WithRemote(GrpcNetRemoteConfig.BindToLocalhost());

        var refused = Assert.Throws<ClusterConfigException>(() => system.WithCluster(spoil(Config("test"))));

        Assert.Equal(field, refused.Field);
        Assert.NotEmpty(refused.Limit);
        Assert.Contains(field, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Defaults_are_those_of_the_original()
    {
        var config = Config("test");

        Assert.Equal(TimeSpan.FromSeconds(5), config.ActorRequestTimeout);
        Assert.Equal(TimeSpan.FromSeconds(5), config.ActorSpawnVerificationTimeout);
        Assert.Equal(TimeSpan.FromSeconds(5), config.ActorActivationTimeout);
        Assert.Equal((TimeSpan.FromSeconds(2), 3), (config.RequestLogThrottlePeriod, config.MaxNumberOfEventsInRequestLogThrottlePeriod));
        Assert.Equal(TimeSpan.FromMilliseconds(300), config.GossipInterval);
        Assert.Equal(TimeSpan.FromMilliseconds(1500), config.GossipRequestTimeout);
        Assert.Equal((3, 50), (config.GossipFanout, config.GossipMaxSend));
        Assert.Equal(TimeSpan.Zero, config.HeartbeatExpiration);
        Assert.Equal(TimeSpan.FromMinutes(1), config.ClusterRequestDeDuplicationWindow);
        Assert.Equal(TimeSpan.FromMinutes(15), config.RemotePidCacheTimeToLive);
        Assert.Equal(TimeSpan.FromSeconds(15), config.RemotePidCacheClearInterval);
        Assert.False(config.ExitOnShutdown);
        Assert.Equal(TimeSpan.Zero, config.WithHeartbeatExpiration(TimeSpan.FromMinutes(1)).WithHeartbeatExpirationDisabled().HeartbeatExpiration);
    }

    [Fact]
    public void Kinds_are_added_in_each_of_the_three_ways()
    {
        Func<Cluster, IMemberStrategy> strategy = _ => new SimpleMemberStrategy();

        var config = Config("test")
            .WithClusterKinds(("a", Props.Empty), ("b", Props.Empty))
            .WithClusterKinds(("c", Props.Empty, strategy))
            .WithClusterKinds(new ClusterKind("d", Props.Empty).WithMemberStrategy(strategy))
            .WithClusterKind("e", Props.Empty, strategy);

        Assert.Equal(["a", "b", "c", "d", "e"], config.ClusterKinds.Select(kind => kind.Name));
        Assert.Equal([false, false, true, true, true], config.ClusterKinds.Select(kind => kind.StrategyBuilder is not null));
    }

    [Fact]
    public async Task Requests_are_remembered_for_the_configured_window()
    {
        await using var fixture = new ClusterFixture();
        var time = new ShiftedTime();
        var member = await fixture.StartMemberAsync(
            config => config
                .WithClusterRequestDeDuplicationWindow(TimeSpan.FromMinutes(10))
                .WithClusterKind("once", Props.FromProducer(() => new CounterActor()).WithClusterRequestDeduplication()),
            configureSystem: system => system.WithTimeProvider(time));
        var mine = member.System.Root.WithHeaders(new MessageHeader(new Dictionary<string, string> { [RequestId.Header] = "order-17" }));
        async Task<long> AddAsync() => (await member.RequestAsync<Total>("x", "once", new Add { Amount = 5 }, mine, ClusterFixture.Soon())).Amount;

        Assert.Equal(5, await AddAsync());
        time.Add(TimeSpan.FromMinutes(5));
        Assert.Equal(5, await AddAsync());
        time.Add(TimeSpan.FromMinutes(6));
        Assert.Equal(10, await AddAsync());
    }

    static ClusterConfig Config(string name) =>
        ClusterConfig.Setup(name, new TestProvider(new TestProviderOptions(), new InMemAgent()), new PartitionActivatorLookup());
}
