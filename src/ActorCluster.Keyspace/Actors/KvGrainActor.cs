using ActorCluster.Protocol;
using ActorCluster.Protocol.Keyspace;
using Proto;

namespace ActorCluster.Keyspace.Actors;

/// <summary>
/// The virtual actor of a partition (kind <c>kv</c>; every key of the partition is an identity of it), on the node that
/// leads it, for one term. Many requests are under way at once: a turn only begins them, and each is answered when its
/// entry has committed or its read is confirmed.
/// </summary>
sealed class KvGrainActor(PartitionReplica replica, KeyspaceState state, KvRouter router, DeadlineTokens deadlines, KeyspaceOptions options) : IActor
{
    public Task ReceiveAsync(IContext context)
    {
        switch (context.Message)
        {
            case KvRequest request:
                _ = AnswerAsync(context.System, context.Self, context.Sender, request);
                break;
            case Broken broken:
                // A promise of the cluster does not hold here: its supervisor hears of it, in this actor's own turn.
                throw broken.Reason;
        }

        return Task.CompletedTask;
    }

    async Task AnswerAsync(ActorSystem system, PID self, PID? sender, KvRequest request)
    {
        KvReply reply;
        try
        {
            reply = Refuse(request) is { } refused
                ? new KvReply { Failure = refused, Partition = replica.Partition.Id }
                : await ExecuteAsync(request);
        }
        catch (Exception e)
        {
            system.Root.Send(self, new Broken(e));
            reply = new KvReply { Failure = Failures.Unknown(ErrorCode.Internal, $"{e.GetType().Name}: {e.Message}"), Partition = replica.Partition.Id };
        }

        if (sender is not null) system.Root.Send(sender, reply);
    }

    ValueTask<KvReply> ExecuteAsync(KvRequest request)
    {
        var deadline = deadlines.After(TimeLeft(request));
        // A plain caller's write gets this node's session and its retries; a router does its own.
        return request is { Forwarded: false, Session: null, OpCase: KvRequest.OpOneofCase.Put or KvRequest.OpOneofCase.Delete }
            ? router.ExecuteAsync(KeyOf(request)!, request, deadline)
            : replica.ExecuteAsync(request, request.Session, deadline);
    }

    Protocol.Failure? Refuse(KvRequest request)
    {
        if (RequestValidation.Check(request) is { } invalid) return invalid;
        if (TimeLeft(request) <= TimeSpan.Zero)
        {
            return Failures.NotExecuted(
                ErrorCode.DeadlineExceeded, $"the deadline ({request.DeadlineUnixMs} ms) had passed when the request arrived, at {replica.NowMs} ms by this node's clock");
        }

        if (KeyOf(request) is { } key && state.Map is { } map && map.Find(key).Id != replica.Partition.Id)
        {
            var wrong = Failures.NotExecuted(ErrorCode.WrongPartition, $"the key belongs to partition {map.Find(key).Id}, this is partition {replica.Partition.Id}");
            wrong.MapVersion = map.Version;
            return wrong;
        }

        return null;
    }

    TimeSpan TimeLeft(KvRequest request) => request.DeadlineUnixMs == 0
        ? options.RequestTimeout
        : TimeSpan.FromMilliseconds(Math.Min((double)request.DeadlineUnixMs - replica.NowMs, 60_000));

    static string? KeyOf(KvRequest request) => request.OpCase switch
    {
        KvRequest.OpOneofCase.Put => request.Put.Key,
        KvRequest.OpOneofCase.Get => request.Get.Key,
        KvRequest.OpOneofCase.Delete => request.Delete.Key,
        _ => null,
    };

    sealed record Broken(Exception Reason);
}
