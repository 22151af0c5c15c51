using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Programs.Messages;
using Proto;
using Proto.Cluster;
using Proto.Cluster.PartitionActivator;
using Proto.Cluster.Testing;
using Proto.DependencyInjection;
using Proto.Remote;

namespace Programs;

/// <summary>A host with a cluster member whose actors come out of the service provider.</summary>
public static class Hosted
{
    public static async Task RunAsync(TextWriter output)
    {
        using var host = new HostBuilder()
            .ConfigureServices(services =>
            {
                services.AddSingleton(new Prices(3));
                services.AddTransient<Shop>();
                services.AddProtoCluster((provider, config) =>
                {
                    config.ClusterName = "shops";
                    config.ClusterProvider = new TestProvider(new TestProviderOptions(), new InMemAgent());
                    config.IdentityLookup = new PartitionActivatorLookup();
                    config.ConfigureRemote = remote => remote.WithProtoMessages(MessagesReflection.Descriptor);
                    config.ConfigureSystem = system => system.WithActorRequestTimeout(TimeSpan.FromSeconds(5));
                    config.ConfigureCluster = cluster => cluster.WithClusterKind("shop", Props.FromProducer(() => provider.GetRequiredService<Shop>()));
                });
            })
            .Build();
        await host.StartAsync();

        var cluster = host.Services.GetRequiredService<Cluster>();
        var total = await cluster.RequestAsync<Total>("corner", "shop", new Add { Amount = 14 }, CancellationTokens.FromSeconds(20));
        await output.WriteLineAsync($"14 cost {total.Value}");

        var system = host.Services.GetRequiredService<ActorSystem>();
        var root = host.Services.GetRequiredService<IRootContext>();
        var pid = root.Spawn(system.DI().PropsFor<Shop>());
        await output.WriteLineAsync($"2 cost {(await root.RequestAsync<Total>(pid, new Add { Amount = 2 })).Value}");
        await host.StopAsync();
        await output.WriteLineAsync($"shut down: {cluster.ShutdownCompleted.IsCompletedSuccessfully}");
    }

    public record Prices(int Each);

    public class Shop : IActor
    {
        private readonly Prices _prices;

        public Shop(Prices prices) => _prices = prices;

        public Task ReceiveAsync(IContext context)
        {
            if (context.Message is Add add) context.Respond(new Total { Value = add.Amount * _prices.Each });
            return Task.CompletedTask;
        }
    }
}
