using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Proto.Cluster.Identity;
using Proto.Cluster.Partition;
using Proto.DependencyInjection;
using Proto.Remote;
using Proto.Remote.GrpcNet;

namespace Proto.Cluster;

public static class ServiceCollectionExtensions
{
    /// <summary>
    /// Registers an <see cref="ActorSystem"/> with a <see cref="Cluster"/> and its <see cref="IRootContext"/>, which the host starts and stops
    /// (<see cref="ProtoActorLifecycleHost"/>). The actor system logs where the host logs, and makes actors with the host's services.
    /// </summary>
    /// <param name="self">The services.</param>
    /// <param name="configure">Fills in the settings, once, when the actor system is first asked for.</param>
    public static IServiceCollection AddProtoCluster(this IServiceCollection self, Action<IServiceProvider, HostedClusterConfig> configure)
    {
        self.AddSingleton(services =>
        {
            var config = new HostedClusterConfig();
            configure(services, config);
            return config;
        });
        self.AddSingleton(services => Create(services, services.GetRequiredService<HostedClusterConfig>()));
        self.AddSingleton(services => services.GetRequiredService<ActorSystem>().Cluster());
        self.AddSingleton(services => services.GetRequiredService<ActorSystem>().Root);
        self.AddSingleton<IHostedService>(services => new ProtoActorLifecycleHost(
            services.GetRequiredService<ActorSystem>(),
            services.GetRequiredService<IHostApplicationLifetime>(),
            services.GetRequiredService<HostedClusterConfig>().RunAsClient));
        return self;
    }

    /// <inheritdoc cref="AddProtoCluster(IServiceCollection, Action{IServiceProvider, HostedClusterConfig})"/>
    public static IServiceCollection AddProtoCluster(
        this IServiceCollection self,
        string clusterName,
        string bindToHost = "localhost",
        int port = 0,
        Func<ActorSystemConfig, ActorSystemConfig>? configureSystem = null,
        Func<GrpcNetRemoteConfig, GrpcNetRemoteConfig>? configureRemote = null,
        Func<ClusterConfig, ClusterConfig>? configureCluster = null,
        IClusterProvider? clusterProvider = null,
        IIdentityLookup? identityLookup = null,
        bool runAsClient = false) => self.AddProtoCluster((_, config) =>
        {
            config.ClusterName = clusterName;
            config.BindToHost = bindToHost;
            config.Port = port;
            config.ConfigureSystem = configureSystem;
            config.ConfigureRemote = configureRemote;
            config.ConfigureCluster = configureCluster;
            config.ClusterProvider = clusterProvider;
            config.IdentityLookup = identityLookup;
            config.RunAsClient = runAsClient;
        });

    static ActorSystem Create(IServiceProvider services, HostedClusterConfig hosted)
    {
        var provider = hosted.ClusterProvider ?? throw new InvalidOperationException(
            $"{nameof(HostedClusterConfig)}.{nameof(HostedClusterConfig.ClusterProvider)} is missing: it tells the cluster '{hosted.ClusterName}' its members");
        var system = ActorSystemConfig.Setup();
        if (services.GetService<ILoggerFactory>() is { } loggers) system = system.WithLoggerFactory(loggers);
        system = hosted.ConfigureSystem?.Invoke(system) ?? system;

        var remote = GrpcNetRemoteConfig.BindTo(hosted.BindToHost, hosted.Port);
        remote = hosted.ConfigureRemote?.Invoke(remote) ?? remote;

        var cluster = ClusterConfig.Setup(hosted.ClusterName, provider, hosted.IdentityLookup ?? new PartitionIdentityLookup());
        cluster = hosted.ConfigureCluster?.Invoke(cluster) ?? cluster;

        var made = new ActorSystem(system).WithServiceProvider(services);
        return (hosted.RunAsClient ? made.WithClientRemote(remote) : made.WithRemote(remote)).WithCluster(cluster);
    }
}
