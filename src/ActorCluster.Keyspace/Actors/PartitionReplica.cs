using ActorCluster.Protocol;
using ActorCluster.Protocol.Keyspace;
using ActorCluster.Raft;
using ActorCluster.Raft.Actors;
using Google.Protobuf;

namespace ActorCluster.Keyspace.Actors;

/// <summary>
/// This node's replica of a partition: carries requests out through its Raft group, one attempt each. Safe to call from
/// any thread; requests overlap freely.
/// </summary>
public sealed class PartitionReplica(PartitionView partition, IReplicaGroup group, PartitionStateMachine machine, KeyspaceOptions options, TimeProvider time)
{
    int _inFlight;

    public PartitionView Partition => partition;

    public IReplicaGroup Group => group;

    /// <summary>Estimate of the state's memory, in bytes.</summary>
    public long Bytes => machine.Bytes;

    /// <summary>The proposer's time for entries: milliseconds since 1970.</summary>
    public ulong NowMs => (ulong)time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>
    /// One attempt at a valid request. A put that fails as Unknown may be repeated under the same session; a get never has
    /// an effect.
    /// </summary>
    public async ValueTask<KvReply> ExecuteAsync(KvRequest request, SessionRef? session, CancellationToken ct)
    {
        if (request.OpCase == KvRequest.OpOneofCase.Get) return await GetAsync(request.Get.Key, ct);
        if (request.OpCase == KvRequest.OpOneofCase.Put && Full() is { } full) return Fail(full);

        var (reply, failure) = await ProposeAsync(Commands.Of(request, session, NowMs), ct);
        return reply is null ? Fail(failure!) : new KvReply
        {
            Failure = reply.Failure,
            Found = reply.Found,
            Version = reply.Version,
            SessionId = reply.SessionId,
            Partition = partition.Id,
        };
    }

    /// <summary>Proposes a command. Ends as the state machine's reply, or as a failure that says whether it may still be applied.</summary>
    /// <returns>The reply and the log index at which the command was applied, or the failure.</returns>
    public async ValueTask<(CommandReply? Reply, Failure? Failure, ulong Index)> ProposeWithIndexAsync(ByteString command, CancellationToken ct)
    {
        if (Interlocked.Increment(ref _inFlight) > options.MaxInFlightPerPartition)
        {
            Interlocked.Decrement(ref _inFlight);
            return (null, TooMany(), 0);
        }

        try
        {
            var result = await group.ProposeAsync(command, ct);
            switch (result.Outcome)
            {
                case ProposalOutcome.Committed:
                    Invariant.Check(result.Value is CommandReply, $"a committed command of partition {partition.Id} has a reply");
                    return ((CommandReply)result.Value!, null, result.Index);
                case ProposalOutcome.NotExecuted:
                    return (null, Failures.NotExecuted(CodeOf(result.Error), result.Message), 0);
                default:
                    return (null, Failures.Unknown(CodeOf(result.Error), result.Message), 0);
            }
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            return (null, Failures.Unknown(ErrorCode.DeadlineExceeded, $"partition {partition.Id} did not commit before the deadline"), 0);
        }
        finally
        {
            Interlocked.Decrement(ref _inFlight);
        }
    }

    /// <summary>Runs a linearizable read on the state machine.</summary>
    public async ValueTask<(T? Value, Failure? Failure)> ReadAsync<T>(Func<PartitionStateMachine, T> read, CancellationToken ct)
    {
        if (Interlocked.Increment(ref _inFlight) > options.MaxInFlightPerPartition)
        {
            Interlocked.Decrement(ref _inFlight);
            return (default, TooMany());
        }

        try
        {
            var result = await group.ReadAsync(machine => read((PartitionStateMachine)machine), ct);
            return result.Ok ? (result.Value, null) : (default, Failures.NotExecuted(CodeOf(result.Error), result.Message));
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            return (default, Failures.NotExecuted(ErrorCode.DeadlineExceeded, $"partition {partition.Id} did not confirm the read before the deadline"));
        }
        finally
        {
            Interlocked.Decrement(ref _inFlight);
        }
    }

    /// <summary>The partition has no room for more (NotExecuted), or null. Asked before proposing: apply refuses nothing for its size.</summary>
    public Failure? Full() => machine.Bytes < options.MaxPartitionBytes ? null : Failures.NotExecuted(
        ErrorCode.Overloaded, $"partition {partition.Id} holds about {machine.Bytes} bytes; at most {options.MaxPartitionBytes} are allowed");

    /// <summary>Ends sessions that were idle for too long, through the log. For the leader.</summary>
    public async ValueTask<Failure?> ExpireSessionsAsync(CancellationToken ct)
    {
        const int atMost = 1000;
        var (now, idleMs) = (NowMs, (ulong)options.SessionIdle.TotalMilliseconds);
        var (idle, failure) = await ReadAsync(m => m.Sessions.IdleFor(idleMs, Math.Max(now, m.TimeMs), atMost), ct);
        if (failure is not null || idle is not { Count: > 0 }) return failure;
        return (await ProposeAsync(Commands.Expire(idle, idleMs, now), ct)).Failure;
    }

    async ValueTask<(CommandReply? Reply, Failure? Failure)> ProposeAsync(ByteString command, CancellationToken ct)
    {
        var (reply, failure, _) = await ProposeWithIndexAsync(command, ct);
        return (reply, failure);
    }

    async ValueTask<KvReply> GetAsync(string key, CancellationToken ct)
    {
        var (found, failure) = await ReadAsync(m => m.Store.TryGet(key, out var entry) ? new KvEntry?(entry) : null, ct);
        if (failure is not null) return Fail(failure);
        return found is { } entry
            ? new KvReply { Found = true, Value = entry.Value, Version = entry.Version, Partition = partition.Id }
            : new KvReply { Partition = partition.Id };
    }

    Failure TooMany() => Failures.NotExecuted(
        ErrorCode.Overloaded, $"partition {partition.Id} has {options.MaxInFlightPerPartition} requests under way; no more are taken");

    KvReply Fail(Failure failure) => new() { Failure = failure, Partition = partition.Id };

    static ErrorCode CodeOf(ErrorCode error) => error == ErrorCode.None ? ErrorCode.NoQuorum : error;
}
