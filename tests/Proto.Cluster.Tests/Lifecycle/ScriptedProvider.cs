using Proto.Cluster.Identity;

namespace Proto.Cluster.Tests.Lifecycle;

/// <summary>A provider of a cluster of one that does what the test says.</summary>
sealed class ScriptedProvider : IClusterProvider
{
    public Func<Cluster, Task> OnStart { get; init; } = cluster =>
    {
        cluster.MemberList.UpdateClusterTopology([cluster.MemberList.Self]);
        return Task.CompletedTask;
    };

    public Func<Task> OnShutdown { get; init; } = () => Task.CompletedTask;

    public int Starts { get; private set; }

    public int Stops { get; private set; }

    public Task StartMemberAsync(Cluster cluster)
    {
        Starts++;
        return OnStart(cluster);
    }

    public Task StartClientAsync(Cluster cluster) => StartMemberAsync(cluster);

    public Task ShutdownAsync(bool graceful)
    {
        Stops++;
        return OnShutdown();
    }
}

/// <summary>A lookup that finds nothing and does what the test says.</summary>
sealed class ScriptedLookup : IIdentityLookup
{
    public Func<Task> OnSetup { get; init; } = () => Task.CompletedTask;

    public Func<Task> OnShutdown { get; init; } = () => Task.CompletedTask;

    public int Stops { get; private set; }

    public Task<PID?> GetAsync(ClusterIdentity clusterIdentity, CancellationToken ct) => Task.FromResult<PID?>(null);

    public Task RemovePidAsync(ClusterIdentity clusterIdentity, PID pid, CancellationToken ct) => Task.CompletedTask;

    public Task SetupAsync(Cluster cluster, string[] kinds, bool isClient) => OnSetup();

    public Task ShutdownAsync()
    {
        Stops++;
        return OnShutdown();
    }
}
