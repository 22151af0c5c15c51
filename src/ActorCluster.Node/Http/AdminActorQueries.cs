using ActorCluster.Protocol.Admin;
using Proto;

namespace ActorCluster.Node.Http;

/// <summary>Asks this node's admin actor.</summary>
public sealed class AdminActorQueries(ActorSystem system) : IAdminQueries
{
    const string Actor = "admin";

    public Task<Members> MembersAsync(CancellationToken ct) => AskAsync<Members>(new GetMembers(), ct);

    public Task<Groups> GroupsAsync(CancellationToken ct) => AskAsync<Groups>(new GetGroups(), ct);

    public Task<Partitions> PartitionsAsync(CancellationToken ct) => AskAsync<Partitions>(new GetPartitions(), ct);

    Task<T> AskAsync<T>(object question, CancellationToken ct) => system.Root.RequestAsync<T>(PID.FromAddress(system.Address, Actor), question, ct);
}
