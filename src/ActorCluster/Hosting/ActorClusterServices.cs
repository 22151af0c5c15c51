using ActorCluster.Grains;
using ActorCluster.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace ActorCluster;

/// <summary>A node in an application of the .NET Generic Host.</summary>
public static class ActorClusterServices
{
    /// <summary>
    /// Adds a <see cref="ClusterNode"/> that starts and stops with the host. Settings come from
    /// <c>IOptions&lt;ActorClusterOptions&gt;</c>; wrong ones stop the start and are all named.
    /// </summary>
    /// <param name="services">The application's services.</param>
    /// <param name="options">Settings.</param>
    /// <param name="kinds">The application's replicated grains.</param>
    public static IServiceCollection AddActorCluster(
        this IServiceCollection services, Action<ActorClusterOptions> options, Action<GrainKinds>? kinds = null)
    {
        services.Configure(options);
        services.AddSingleton(provider =>
        {
            var registered = new GrainKinds();
            kinds?.Invoke(registered);
            return new ClusterNode(
                provider.GetRequiredService<IOptions<ActorClusterOptions>>().Value,
                new ClusterNodeSetup
                {
                    Kinds = registered,
                    Time = provider.GetService<TimeProvider>() ?? TimeProvider.System,
                    Loggers = provider.GetRequiredService<ILoggerFactory>(),
                });
        });
        return services.AddHostedService<ClusterNodeService>();
    }
}
