using ActorCluster.Protocol.Admin;

namespace ActorCluster.Node.Http;

/// <summary>What this node knows of the cluster: the admin actor's answers.</summary>
public interface IAdminQueries
{
    Task<Members> MembersAsync(CancellationToken ct);

    Task<Groups> GroupsAsync(CancellationToken ct);

    Task<Partitions> PartitionsAsync(CancellationToken ct);
}
