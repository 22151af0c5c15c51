using ActorCluster.Keyspace.Actors;
using ActorCluster.Protocol.Keyspace;

namespace ActorCluster.Node.Http;

/// <summary>The node's router, as the HTTP API needs it.</summary>
public sealed class KvRouterOperations(KvRouter router) : IKvOperations
{
    public ValueTask<KvReply> ExecuteAsync(string key, KvRequest request, CancellationToken ct) => router.ExecuteAsync(key, request, ct);
}
