using ActorCluster.Protocol;
using ActorCluster.Protocol.Grains;
using ActorCluster.Protocol.Keyspace;
using Proto;
using Failure = ActorCluster.Protocol.Failure;

namespace ActorCluster.Keyspace.Actors;

/// <summary>
/// Carries requests for any key out from any node: at this node's replica when it leads the key's partition, otherwise at
/// the leader's KV grain. Ends as a result, NotExecuted or Unknown within the deadline. Safe to call from any thread.
/// </summary>
public sealed class KvRouter
{
    readonly KeyspaceState _state;
    readonly PartitionCalls _calls;
    readonly RemoteRequests _remote;
    readonly KeyspaceOptions _options;

    public KvRouter(KeyspaceState state, PartitionCalls calls, RemoteRequests remote, KeyspaceOptions options)
    {
        _state = state;
        _calls = calls;
        _remote = remote;
        _options = options;
        calls.OpenSession = (key, ct) => ExecuteAsync(
            key,
            new KvRequest { OpenSession = new OpenSession { Owner = state.Self.Value, Label = $"node {state.Self}" } },
            ct);
    }

    /// <summary>Carries a request out.</summary>
    /// <param name="key">Chooses the partition: the request's own key, or any key of the partition for open_session.</param>
    /// <param name="request">The request. Not to be changed any more.</param>
    /// <param name="ct">The deadline. When it cannot be cancelled, <see cref="KeyspaceOptions.RequestTimeout"/> is the deadline.</param>
    public async ValueTask<KvReply> ExecuteAsync(string key, KvRequest request, CancellationToken ct)
    {
        if ((RequestValidation.CheckKey(key) ?? RequestValidation.Check(request)) is { } invalid) return new KvReply { Failure = invalid };
        return await _calls.RunAsync(new Call(this, key, request), ct);
    }

    async ValueTask<KvReply?> AttemptAsync(string key, KvRequest request, SessionRef? session, int attempt, CancellationToken ct)
    {
        // Looked up anew every time: map and leader may have moved on.
        var partition = _state.Map!.Find(key);
        var route = _state.Route(partition);
        if (route.Local is { } local) return await local.ExecuteAsync(request, session, ct);
        var leader = route.Remote;
        if (leader is null && _state.Replica(partition.Group) is null) leader = await FindLeaderAsync(partition, key, attempt, ct);
        return leader is null ? null : await AskAsync(partition, leader, request, session, ct);
    }

    async ValueTask<KvReply> AskAsync(PartitionView partition, PID leader, KvRequest request, SessionRef? session, CancellationToken ct)
    {
        // Without the caller's deadline: this node keeps it, by its own clock. Another node's clock may be seconds ahead.
        var message = new KvRequest { Session = session, Forwarded = true };
        switch (request.OpCase)
        {
            case KvRequest.OpOneofCase.Put: message.Put = request.Put; break;
            case KvRequest.OpOneofCase.Get: message.Get = request.Get; break;
            case KvRequest.OpOneofCase.Delete: message.Delete = request.Delete; break;
            case KvRequest.OpOneofCase.OpenSession: message.OpenSession = request.OpenSession; break;
        }

        var (reply, why) = await _remote.AskAsync<KvReply>(leader, message, _options.AttemptTimeout, ct);
        if (reply is { Failure: null or { Code: not (ErrorCode.NotLeader or ErrorCode.WrongPartition) } }) return reply;
        _state.Forget(partition.Id, leader);
        // A connection that breaks after the message was sent looks like an actor that never was: nothing is known.
        return reply ?? new KvReply { Partition = partition.Id, Failure = Failures.Unknown(ErrorCode.NotLeader, why) };
    }

    /// <summary>Asks a node that holds a replica where the leader is. For nodes that hold none themselves.</summary>
    async ValueTask<PID?> FindLeaderAsync(PartitionView partition, string key, int attempt, CancellationToken ct)
    {
        if (_state.AddressOf(partition.Replicas[attempt % partition.Replicas.Count]) is not { } address) return null;
        var question = new Locate { Kind = "kv", Identity = key };
        var (located, _) = await _remote.AskAsync<Located>(PID.FromAddress(address, "grains"), question, _options.AttemptTimeout, ct);
        if (located is null or { Failure: not null } or { Id: "" }) return null;
        var leader = PID.FromAddress(located.Address, located.Id);
        _state.Learn(partition.Id, leader);
        return leader;
    }

    sealed class Call(KvRouter router, string key, KvRequest request) : PartitionCall<KvReply>
    {
        public override string Key => key;

        // A session that is opened twice is one that nobody uses, and ends by itself.
        public override bool HasEffect => request.OpCase is KvRequest.OpOneofCase.Put or KvRequest.OpOneofCase.Delete;

        public override bool UsesNodeSession => HasEffect && request.Session is null;

        public override ValueTask<KvReply?> AttemptAsync(SessionRef? session, int attempt, CancellationToken ct) =>
            router.AttemptAsync(key, request, session ?? request.Session, attempt, ct);

        public override Failure? FailureOf(KvReply reply) => reply.Failure;

        public override KvReply Fail(Failure failure) => new() { Failure = failure, Partition = router._state.Map?.Find(key).Id ?? 0 };
    }
}
