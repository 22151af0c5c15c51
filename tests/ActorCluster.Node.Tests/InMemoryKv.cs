using ActorCluster.Node.Http;
using ActorCluster.Protocol;
using ActorCluster.Protocol.Keyspace;
using Google.Protobuf;

namespace ActorCluster.Node.Tests;

/// <summary>A key space of one process: versions rise with every write, as a log's index does.</summary>
sealed class InMemoryKv(uint partitions) : IKvOperations
{
    readonly Lock _gate = new();
    readonly Dictionary<string, (ByteString Value, ulong Version)> _items = new(StringComparer.Ordinal);
    ulong _index;

    /// <summary>When set, requests end with it.</summary>
    public Failure? Failure { get; set; }

    /// <summary>When set, requests wait for their deadline.</summary>
    public bool Stalls { get; set; }

    public KvRequest? Last { get; private set; }

    public async ValueTask<KvReply> ExecuteAsync(string key, KvRequest request, CancellationToken ct)
    {
        Last = request;
        if (Stalls) await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, ct);
        var reply = new KvReply { Partition = (uint)(StableHash.Of(key) % partitions) };
        if (Failure is { } failure)
        {
            reply.Failure = failure;
            return reply;
        }

        lock (_gate)
        {
            reply.Found = _items.TryGetValue(key, out var item);
            switch (request.OpCase)
            {
                case KvRequest.OpOneofCase.Put:
                    _items[key] = (request.Put.Value, reply.Version = ++_index);
                    break;
                case KvRequest.OpOneofCase.Delete:
                    _items.Remove(key);
                    reply.Version = ++_index;
                    break;
                default:
                    (reply.Value, reply.Version) = reply.Found ? item : (ByteString.Empty, 0);
                    break;
            }
        }

        return reply;
    }
}
