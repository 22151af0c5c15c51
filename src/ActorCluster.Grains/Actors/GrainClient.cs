using ActorCluster.Keyspace;
using ActorCluster.Keyspace.Actors;
using ActorCluster.Protocol;
using ActorCluster.Protocol.Grains;
using ActorCluster.Protocol.Keyspace;
using Google.Protobuf;
using Proto.Cluster;
using Proto.Cluster.Identity;
using Failure = ActorCluster.Protocol.Failure;

namespace ActorCluster.Grains.Actors;

/// <summary>A call of a grain did not end as a result.</summary>
public sealed class GrainCallException(Failure failure) : Exception(failure.Message)
{
    /// <summary>How it ended: NotExecuted (a repeat is safe) or Unknown, with a code.</summary>
    public Failure Failure { get; } = failure;
}

/// <summary>
/// Calls replicated grains from a node, anywhere in the cluster. Each call goes under the node's session with the
/// identity's partition, so that it is carried out once, however often it has to be repeated. Safe to call from any thread.
/// </summary>
public sealed class GrainClient(PartitionCalls calls, RemoteRequests remote, IIdentityLookup lookup, KeyspaceOptions options)
{
    /// <summary>Calls a grain.</summary>
    /// <typeparam name="TReply">The reply's type.</typeparam>
    /// <param name="kind">The grain's kind.</param>
    /// <param name="identity">The grain's identity.</param>
    /// <param name="message">What to send.</param>
    /// <param name="ct">The deadline. When it cannot be cancelled, <see cref="KeyspaceOptions.RequestTimeout"/> is the deadline.</param>
    /// <exception cref="GrainCallException">It ended as NotExecuted or Unknown.</exception>
    public async Task<TReply> CallAsync<TReply>(string kind, string identity, IMessage message, CancellationToken ct = default)
        where TReply : class, IMessage<TReply>, new()
    {
        var reply = await ExecuteAsync(kind, identity, message, ct);
        if (reply.Failure is { } failure) throw new GrainCallException(failure);
        var expected = new TReply();
        if (reply.MessageType != expected.Descriptor.FullName)
            throw new InvalidOperationException($"{kind}/{identity} answered {message.Descriptor.FullName} with {reply.MessageType}, not with {expected.Descriptor.FullName}");
        expected.MergeFrom(reply.Message);
        return expected;
    }

    /// <summary>Calls a grain; the failure, if any, is in the reply.</summary>
    public async ValueTask<GrainReply> ExecuteAsync(string kind, string identity, IMessage message, CancellationToken ct)
    {
        if (RequestValidation.CheckKey(identity) is { } invalid) return new GrainReply { Failure = invalid };
        var bytes = message.ToByteString();
        if (RequestValidation.CheckValue("message", bytes.Length) is { } tooLarge) return new GrainReply { Failure = tooLarge };
        return await calls.RunAsync(new Call(this, kind, identity, message.Descriptor.FullName, bytes), ct);
    }

    async ValueTask<GrainReply?> AttemptAsync(ClusterIdentity identity, string type, ByteString message, SessionRef? session, CancellationToken ct)
    {
        Proto.PID? pid;
        try
        {
            pid = await lookup.GetAsync(identity, ct);
        }
        catch (GrainActivationException e)
        {
            return new GrainReply { Failure = e.Failure };
        }

        if (pid is null) return null;
        var call = new GrainCall { MessageType = type, Message = message, Session = session };
        var (reply, why) = await remote.AskAsync<GrainReply>(pid, call, options.AttemptTimeout, ct);
        if (reply is { Failure: null or { Code: not (ErrorCode.NotLeader or ErrorCode.StaleEpoch or ErrorCode.NodeStopping) } }) return reply;
        await lookup.RemovePidAsync(identity, pid, ct);
        return reply ?? new GrainReply { Failure = Failures.Unknown(ErrorCode.NotLeader, why) };
    }

    sealed class Call(GrainClient client, string kind, string identity, string type, ByteString message) : PartitionCall<GrainReply>
    {
        readonly ClusterIdentity _identity = ClusterIdentity.Create(identity, kind);

        public override string Key => identity;

        // Only the handler knows; what changes nothing is not even proposed.
        public override bool HasEffect => true;

        public override bool UsesNodeSession => true;

        public override ValueTask<GrainReply?> AttemptAsync(SessionRef? session, int attempt, CancellationToken ct) =>
            client.AttemptAsync(_identity, type, message, session, ct);

        public override Failure? FailureOf(GrainReply reply) => reply.Failure;

        public override GrainReply Fail(Failure failure) => new() { Failure = failure };
    }
}
