using ActorCluster.Protocol.Admin;
using ActorCluster.Protocol.Keyspace;

namespace ActorCluster.Node.Http;

/// <summary>This process's node, as the HTTP API needs it.</summary>
public sealed class ClusterNodeOperations(ClusterNode node) : IKvOperations, IAdminQueries
{
    public ValueTask<KvReply> ExecuteAsync(string key, KvRequest request, CancellationToken ct) => node.Kv.ExecuteAsync(key, request, ct);

    public Members Members() => node.Members();

    public Groups Groups() => node.GroupReport();

    public Partitions Partitions() => node.Partitions();
}
