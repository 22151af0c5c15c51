using ActorCluster.Protocol;
using Proto;
using Proto.Cluster;
using Proto.Cluster.Identity;

namespace ActorCluster.Client.Routing;

/// <summary>Lets a client's <c>cluster.RequestAsync</c> find virtual actors of any kind: through the nodes, never by itself.</summary>
sealed class ClientIdentityLookup(Locator locator, PartitionTableSource partitions) : IIdentityLookup
{
    public async Task<PID?> GetAsync(ClusterIdentity clusterIdentity, CancellationToken ct)
    {
        var located = await locator.FindAsync(await TargetOfAsync(clusterIdentity, ct), ct);
        return located.Failure is null || located.Failure.Code == ErrorCode.None ? Locator.PidOf(located) : null;
    }

    public async Task RemovePidAsync(ClusterIdentity clusterIdentity, PID pid, CancellationToken ct) =>
        locator.Refuse(await TargetOfAsync(clusterIdentity, ct), new Protocol.Grains.Located { Address = pid.Address, Id = pid.Id });

    public Task SetupAsync(Cluster cluster, string[] kinds, bool isClient) => Task.CompletedTask;

    public Task ShutdownAsync() => Task.CompletedTask;

    async ValueTask<Target> TargetOfAsync(ClusterIdentity who, CancellationToken ct) =>
        new(who.Kind, who.Identity, (await partitions.GetAsync(ct)).Find(who.Identity));
}
