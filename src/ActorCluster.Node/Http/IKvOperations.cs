using ActorCluster.Protocol.Keyspace;

namespace ActorCluster.Node.Http;

/// <summary>Keys and values, as the HTTP API needs them: any key on any node.</summary>
public interface IKvOperations
{
    /// <summary>
    /// Carries a request out on the partition of <paramref name="key"/>. Ends as a reply, with its
    /// <see cref="KvReply.Failure"/> set when it did not happen or when that is unknown; cancelled only by <paramref name="ct"/>,
    /// which is the request's deadline.
    /// </summary>
    ValueTask<KvReply> ExecuteAsync(string key, KvRequest request, CancellationToken ct);
}
