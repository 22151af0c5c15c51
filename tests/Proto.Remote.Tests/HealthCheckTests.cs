using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Proto.Remote.HealthChecks;

namespace Proto.Remote.Tests;

public sealed class HealthCheckTests
{
    [Fact]
    public async Task A_system_is_healthy_until_it_begins_to_shut_down()
    {
        var system = new ActorSystem();
        await using var services = new ServiceCollection()
            .AddLogging()
            .AddSingleton(system)
            .AddHealthChecks().AddCheck<ActorSystemHealthCheck>("proto").Services
            .BuildServiceProvider();
        var health = services.GetRequiredService<HealthCheckService>();
        Assert.Equal(HealthStatus.Healthy, (await health.CheckHealthAsync()).Status);
        var goodbye = new TaskCompletionSource();
        system.Extensions.Register(new SlowExtension(goodbye.Task));

        var shutdown = system.ShutdownAsync("maintenance");
        var report = await health.CheckHealthAsync();
        goodbye.SetResult();
        await shutdown;

        Assert.Equal(HealthStatus.Unhealthy, report.Status);
        Assert.Contains("maintenance", report.Entries["proto"].Description, StringComparison.Ordinal);
        Assert.Equal(HealthStatus.Unhealthy, (await health.CheckHealthAsync()).Status);
    }

    private sealed class SlowExtension(Task goodbye) : Proto.Extensions.IActorSystemExtension<SlowExtension>, Proto.Extensions.IActorSystemLifecycle
    {
        public Task BeforeActorsStopAsync(string reason) => goodbye;
    }
}
