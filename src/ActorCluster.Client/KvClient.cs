using ActorCluster.Client.Routing;
using ActorCluster.Client.Sessions;
using ActorCluster.Protocol.Keyspace;
using Google.Protobuf;

namespace ActorCluster.Client;

/// <summary>Keys and values: writes with their effect exactly once, reads linearizable.</summary>
public sealed class KvClient
{
    readonly RetryingCaller _caller;

    internal KvClient(RetryingCaller caller) => _caller = caller;

    /// <summary>Writes a value.</summary>
    /// <exception cref="NotExecutedException">It had no effect.</exception>
    /// <exception cref="OutcomeUnknownException">It may have happened.</exception>
    public async Task<KvWritten> PutAsync(string key, ReadOnlyMemory<byte> value, CancellationToken ct = default)
    {
        ClientLimits.CheckKey(key, nameof(key));
        ClientLimits.CheckValue(value.Length, nameof(value));
        var put = new KvPut { Key = key, Value = ByteString.CopyFrom(value.Span) };
        var reply = await _caller.WriteAsync<KvReply>(Target.KvKind, key, (session, deadlineMs) => new KvRequest { Session = session, DeadlineUnixMs = deadlineMs, Put = put }, static r => r.Failure, ct);
        return new KvWritten(reply.Partition, reply.Version, reply.Found);
    }

    /// <summary>The value as of now, or null when there is none.</summary>
    /// <exception cref="NotExecutedException">It cannot be told.</exception>
    public async Task<KvValue?> GetAsync(string key, CancellationToken ct = default)
    {
        ClientLimits.CheckKey(key, nameof(key));
        var reply = await _caller.ReadAsync<KvReply>(Target.KvKind, key, (_, deadlineMs) => new KvRequest { DeadlineUnixMs = deadlineMs, Get = new KvGet { Key = key } }, static r => r.Failure, ct);
        return reply.Found ? new KvValue(reply.Value.Memory, reply.Partition, reply.Version) : null;
    }

    /// <summary>Removes a key; <see cref="KvWritten.Existed"/> says whether there was one.</summary>
    /// <exception cref="NotExecutedException">It had no effect.</exception>
    /// <exception cref="OutcomeUnknownException">It may have happened.</exception>
    public async Task<KvWritten> DeleteAsync(string key, CancellationToken ct = default)
    {
        ClientLimits.CheckKey(key, nameof(key));
        var delete = new KvDelete { Key = key };
        var reply = await _caller.WriteAsync<KvReply>(Target.KvKind, key, (session, deadlineMs) => new KvRequest { Session = session, DeadlineUnixMs = deadlineMs, Delete = delete }, static r => r.Failure, ct);
        return new KvWritten(reply.Partition, reply.Version, reply.Found);
    }
}

/// <summary>A write that happened.</summary>
/// <param name="Partition">Where the key lives.</param>
/// <param name="Version">Rises with every write of the partition.</param>
/// <param name="Existed">Whether the key had a value before.</param>
public readonly record struct KvWritten(uint Partition, ulong Version, bool Existed);

/// <summary>A value that was read.</summary>
/// <param name="Bytes">The value.</param>
/// <param name="Partition">Where the key lives.</param>
/// <param name="Version">Version of the write that gave it.</param>
public sealed record KvValue(ReadOnlyMemory<byte> Bytes, uint Partition, ulong Version);
