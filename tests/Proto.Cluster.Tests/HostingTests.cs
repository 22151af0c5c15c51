using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Proto.Cluster.SingleNode;
using Proto.Cluster.Testing;
using Proto.Cluster.Tests.Messages;
using Proto.Remote;

namespace Proto.Cluster.Tests;

public sealed class HostingTests
{
    [Fact]
    public async Task A_host_starts_a_member_that_serves_is_healthy_and_leaves_when_the_host_stops()
    {
        var agent = new InMemAgent();
        using var host = Build(services => services.AddProtoCluster(
            "test",
            bindToHost: "127.0.0.1",
            configureRemote: remote => remote.WithProtoMessages(TestMessagesReflection.Descriptor),
            configureCluster: config => config.WithClusterKind(CounterActor.Kind, Props.FromProducer(() => new CounterActor())),
            clusterProvider: new TestProvider(new TestProviderOptions(), agent)));
        var cluster = host.Services.GetRequiredService<Cluster>();
        Assert.Equal(HealthStatus.Degraded, await HealthAsync(cluster));

        await host.StartAsync();
        Assert.Equal(HealthStatus.Healthy, await HealthAsync(cluster));
        Assert.Same(cluster.System.Root, host.Services.GetRequiredService<IRootContext>());
        Assert.Equal(1, (await cluster.RequestAsync<Total>("x", CounterActor.Kind, new Add { Amount = 1 }, ClusterFixture.Soon())).Amount);
        Assert.Single(agent.GetServices());

        await host.StopAsync();
        Assert.Equal(HealthStatus.Unhealthy, await HealthAsync(cluster));
        Assert.Empty(agent.GetServices());
        Assert.True(cluster.ShutdownCompleted.IsCompletedSuccessfully);
    }

    [Fact]
    public async Task A_member_that_is_leaving_is_unhealthy()
    {
        await using var fixture = new ClusterFixture();
        var activations = new RunningActivations();
        var member = await fixture.StartMemberAsync(config => config.WithClusterKind(RunningActivations.Kind, activations.Props));
        await member.RequestAsync<Total>("x", RunningActivations.Kind, new Add(), ClusterFixture.Soon());

        var leaving = member.ShutdownAsync();
        await activations.AnotherIsStopping();
        Assert.Equal(HealthStatus.Unhealthy, await HealthAsync(member));
        activations.LetStop();
        await leaving;
    }

    [Fact]
    public async Task The_host_stops_within_its_shutdown_timeout_although_an_activation_does_not()
    {
        var activations = new RunningActivations();
        using var host = Build(services => services.AddProtoCluster((_, config) =>
        {
            config.BindToHost = "127.0.0.1";
            config.ClusterProvider = new SingleNodeProvider();
            config.IdentityLookup = new SingleNodeLookup();
            config.ConfigureCluster = cluster => cluster.WithClusterKind(RunningActivations.Kind, activations.Props) with { ShutdownStepTimeout = TimeSpan.FromMinutes(5) };
        }));
        await host.StartAsync();
        var cluster = host.Services.GetRequiredService<Cluster>();
        await cluster.RequestAsync<Total>("x", RunningActivations.Kind, new Add(), ClusterFixture.Soon());

        using var timeout = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));
        await host.StopAsync(timeout.Token).WaitAsync(ClusterFixture.Soon());

        Assert.False(cluster.ShutdownCompleted.IsCompleted);
        activations.LetStop();
        await cluster.ShutdownCompleted.WaitAsync(ClusterFixture.Soon());
    }

    [Fact]
    public async Task When_the_actor_system_is_shut_down_the_host_stops()
    {
        using var host = Build(services => services.AddProtoCluster((_, config) =>
        {
            config.BindToHost = "127.0.0.1";
            config.ClusterProvider = new SingleNodeProvider();
            config.IdentityLookup = new SingleNodeLookup();
        }));
        await host.StartAsync();
        var stopping = host.WaitForShutdownAsync();

        await host.Services.GetRequiredService<Cluster>().ShutdownAsync();

        await stopping.WaitAsync(ClusterFixture.Soon());
    }

    [Fact]
    public void A_missing_provider_is_named()
    {
        using var host = Build(services => services.AddProtoCluster("test"));
        var missing = Assert.Throws<InvalidOperationException>(() => host.Services.GetRequiredService<ActorSystem>());
        Assert.Contains("ClusterProvider", missing.Message, StringComparison.Ordinal);
    }

    static IHost Build(Action<IServiceCollection> register)
    {
        var builder = Host.CreateApplicationBuilder();
        register(builder.Services);
        return builder.Build();
    }

    static async Task<HealthStatus> HealthAsync(Cluster cluster) => (await new ClusterHealthCheck(cluster).CheckHealthAsync(new HealthCheckContext())).Status;
}
