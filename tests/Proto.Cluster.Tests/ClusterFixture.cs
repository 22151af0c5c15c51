using Proto.Cluster.Identity;
using Proto.Cluster.PartitionActivator;
using Proto.Cluster.Testing;
using Proto.Cluster.Tests.Messages;
using Proto.Remote;
using Proto.Remote.GrpcNet;

namespace Proto.Cluster.Tests;

/// <summary>Members and clients of one cluster in this process, talking over loopback.</summary>
sealed class ClusterFixture : IAsyncDisposable
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    readonly InMemAgent _agent = new();
    readonly List<Cluster> _clusters = [];

    public InMemAgent Agent => _agent;

    public static CancellationToken Soon() => new CancellationTokenSource(Patience).Token;

    public static ClusterConfig WithCounter(ClusterConfig config) =>
        config.WithClusterKind(CounterActor.Kind, Props.FromProducer(() => new CounterActor()));

    public async Task<Cluster> StartMemberAsync(
        Func<ClusterConfig, ClusterConfig>? configure = null,
        IIdentityLookup? lookup = null,
        IClusterProvider? provider = null,
        Func<ActorSystemConfig, ActorSystemConfig>? configureSystem = null)
    {
        var cluster = CreateMember(configure, lookup, provider, configureSystem);
        await cluster.StartMemberAsync().WaitAsync(Soon());
        return cluster;
    }

    /// <summary>Starts them one after the other.</summary>
    public async Task<Cluster[]> StartMembersAsync(
        int count, Func<ClusterConfig, ClusterConfig> configure, Func<ActorSystemConfig, ActorSystemConfig>? configureSystem = null)
    {
        var members = new Cluster[count];
        for (var i = 0; i < count; i++) members[i] = await StartMemberAsync(configure, configureSystem: configureSystem);
        return members;
    }

    /// <summary>A member that is not started yet.</summary>
    public Cluster CreateMember(
        Func<ClusterConfig, ClusterConfig>? configure = null,
        IIdentityLookup? lookup = null,
        IClusterProvider? provider = null,
        Func<ActorSystemConfig, ActorSystemConfig>? configureSystem = null) =>
        Create(
            new ActorSystem((configureSystem ?? (same => same))(ActorSystemConfig.Setup())).WithRemote(RemoteConfig()), configure ?? WithCounter, lookup, provider);

    public async Task<Cluster> StartClientAsync(IIdentityLookup? lookup = null, IClusterProvider? provider = null)
    {
        var cluster = Create(new ActorSystem().WithClientRemote(RemoteConfig()), same => same, lookup, provider);
        await cluster.StartClientAsync().WaitAsync(Soon());
        return cluster;
    }

    /// <summary>Ends a member as a crash does; the others still list it until the test takes it out of the agent.</summary>
    public Task KillAsync(Cluster cluster)
    {
        _clusters.Remove(cluster);
        return cluster.System.Remote().ShutdownAsync(graceful: false);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var cluster in _clusters.ToArray()) await cluster.ShutdownAsync();
    }

    Cluster Create(ActorSystem system, Func<ClusterConfig, ClusterConfig> configure, IIdentityLookup? lookup, IClusterProvider? provider)
    {
        var config = ClusterConfig.Setup(
                "test",
                provider ?? new TestProvider(new TestProviderOptions(), _agent),
                lookup ?? new PartitionActivatorLookup(TimeSpan.FromSeconds(10)))
            .WithActorRequestTimeout(Patience);
        var cluster = system.WithCluster(configure(config)).Cluster();
        _clusters.Add(cluster);
        return cluster;
    }

    static GrpcNetRemoteConfig RemoteConfig() => GrpcNetRemoteConfig.BindToLocalhost().WithProtoMessages(TestMessagesReflection.Descriptor);
}
