using System.Collections.Concurrent;
using ActorCluster.Protocol;
using ActorCluster.Protocol.Grains;
using ActorCluster.Protocol.Keyspace;
using ActorCluster.Raft;
using Proto;
using Failure = ActorCluster.Protocol.Failure;

namespace ActorCluster.Keyspace.Actors;

/// <summary>
/// Carries requests for any key out from any node: finds the partition's leader (in this process when it is here) and
/// tries again within the deadline while that is safe. A write goes under this node's own session with the partition, so
/// that a repeat after an attempt of unknown outcome cannot have its effect twice; a request that brings its own session
/// keeps it. Ends as a result, NotExecuted or Unknown. Safe to call from any thread.
/// </summary>
public sealed class KvRouter(ActorSystem system, KeyspaceState state, KeyspaceOptions options, TimeProvider time, IRandomSource random)
{
    readonly ConcurrentDictionary<uint, NodeSession> _sessions = new();
    readonly DeadlineTokens _deadlines = new(time);
    readonly Lock _randomGate = new();
    int _inFlight;

    /// <summary>Requests under way.</summary>
    public int InFlight => Volatile.Read(ref _inFlight);

    /// <summary>Carries a request out.</summary>
    /// <param name="key">Chooses the partition: the request's own key, or any key of the partition for open_session.</param>
    /// <param name="request">The request.</param>
    /// <param name="ct">The deadline. When it cannot be cancelled, <see cref="KeyspaceOptions.RequestTimeout"/> is the deadline.</param>
    public async ValueTask<KvReply> ExecuteAsync(string key, KvRequest request, CancellationToken ct)
    {
        if ((RequestValidation.CheckKey(key) ?? RequestValidation.Check(request)) is { } invalid) return new KvReply { Failure = invalid };
        if (!ct.CanBeCanceled) ct = _deadlines.After(options.RequestTimeout);
        if (Interlocked.Increment(ref _inFlight) > options.MaxInFlight)
        {
            Interlocked.Decrement(ref _inFlight);
            return new KvReply { Failure = Failures.NotExecuted(ErrorCode.Overloaded, $"this node has {options.MaxInFlight} requests under way; no more are taken") };
        }

        try
        {
            if (state.Map is not { } map)
                return new KvReply { Failure = Failures.NotExecuted(ErrorCode.NotAMember, "this node does not know the partition map yet: it has not joined a cluster") };
            var partition = map.Find(key);
            var isWrite = request.OpCase is KvRequest.OpOneofCase.Put or KvRequest.OpOneofCase.Delete;
            return isWrite && request.Session is null
                ? await WriteAsync(key, partition.Id, request, ct)
                : (await TryAsync(key, partition.Id, request, null, default, ct)).Reply;
        }
        finally
        {
            Interlocked.Decrement(ref _inFlight);
        }
    }

    async ValueTask<KvReply> WriteAsync(string key, uint partition, KvRequest request, CancellationToken ct)
    {
        var session = SessionOf(partition, key);
        while (true)
        {
            SessionTicket ticket;
            try
            {
                (ticket, var failure) = await session.BeginAsync(ct);
                if (failure is not null) return new KvReply { Failure = failure, Partition = partition };
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
                return Late(partition, null, uncertain: false);
            }

            try
            {
                var (reply, uncertain) = await TryAsync(key, partition, request, session, ticket, ct);
                if (reply.Failure?.Code != ErrorCode.SessionExpired) return reply;
                session.Expired(ticket.Session);
                // Refused, and never accepted before: under a new session it is still the first time.
                if (uncertain) return reply;
            }
            finally
            {
                session.End(ticket);
            }
        }
    }

    /// <summary>Attempts until there is an answer, or the deadline passes.</summary>
    /// <returns>The answer, and whether an attempt before it may have had its effect.</returns>
    async ValueTask<(KvReply Reply, bool Uncertain)> TryAsync(
        string key, uint partitionId, KvRequest request, NodeSession? session, SessionTicket ticket, CancellationToken ct)
    {
        var isRead = request.OpCase == KvRequest.OpOneofCase.Get;
        var uncertain = false;
        var pause = options.MinRetryPause;
        Failure? last = null;
        for (var attempt = 0; !ct.IsCancellationRequested; attempt++)
        {
            // Looked up anew every time: map and leader may have moved on.
            var partition = state.Map!.ById(partitionId) ?? state.Map.Find(key);
            var route = state.Route(partition);
            var reference = session?.Reference(ticket) ?? request.Session;
            KvReply reply;
            if (route.Local is { } local) reply = await local.ExecuteAsync(request, reference, ct);
            else if (route.Remote is { } remote) reply = await AskAsync(partition, remote, request, reference, ct);
            else
            {
                last ??= Failures.NotExecuted(ErrorCode.NoQuorum, $"partition {partitionId} has no leader that this node knows of");
                if (state.Replica(partition.Group) is not null || !await FindLeaderAsync(partition, key, attempt, ct)) pause = await PauseAsync(pause, ct);
                continue;
            }

            if (reply.Failure is not { } failure) return (reply, uncertain);
            var wasUncertain = uncertain;
            if (failure.Outcome == OutcomeKind.Unknown && !isRead && failure.Code != ErrorCode.SessionExpired) uncertain = true;
            if (!IsWorthAnotherAttempt(failure.Code))
            {
                if (failure.Outcome == OutcomeKind.NotExecuted && wasUncertain)
                    reply.Failure = Failures.Unknown(failure.Code, $"{failure.Message}; an earlier attempt may have been carried out");
                return (reply, uncertain);
            }

            last = failure;
            pause = await PauseAsync(pause, ct);
        }

        return (Late(partitionId, last, uncertain), uncertain);
    }

    async ValueTask<KvReply> AskAsync(PartitionView partition, PID leader, KvRequest request, SessionRef? session, CancellationToken ct)
    {
        var message = new KvRequest { Session = session, DeadlineUnixMs = request.DeadlineUnixMs, Forwarded = true };
        switch (request.OpCase)
        {
            case KvRequest.OpOneofCase.Put: message.Put = request.Put; break;
            case KvRequest.OpOneofCase.Get: message.Get = request.Get; break;
            case KvRequest.OpOneofCase.Delete: message.Delete = request.Delete; break;
            case KvRequest.OpOneofCase.OpenSession: message.OpenSession = request.OpenSession; break;
        }

        string why;
        try
        {
            var reply = await system.Root.RequestAsync<KvReply>(leader, message, _deadlines.After(options.AttemptTimeout)).WaitAsync(ct);
            if (reply.Failure is { Code: ErrorCode.NotLeader or ErrorCode.WrongPartition }) state.Forget(partition.Id, leader);
            return reply;
        }
        catch (DeadLetterException)
        {
            why = "was not there, or the connection to it broke";
        }
        catch (TimeoutException)
        {
            why = $"did not answer within {options.AttemptTimeout.TotalMilliseconds:0} ms";
        }
        catch (OperationCanceledException)
        {
            why = "did not answer before the deadline";
        }

        // A connection that breaks after the message was sent looks like an actor that never was: nothing is known.
        state.Forget(partition.Id, leader);
        return new KvReply
        {
            Partition = partition.Id,
            Failure = Failures.Unknown(ErrorCode.NotLeader, $"the leader of partition {partition.Id} at {leader.Address} {why}"),
        };
    }

    /// <summary>Asks a node that holds a replica where the leader is. For nodes that hold none themselves.</summary>
    async ValueTask<bool> FindLeaderAsync(PartitionView partition, string key, int attempt, CancellationToken ct)
    {
        var replica = partition.Replicas[attempt % partition.Replicas.Count];
        if (state.AddressOf(replica) is not { } address) return false;
        try
        {
            var locate = new Locate { Kind = "kv", Identity = key };
            var located = await system.Root.RequestAsync<Located>(PID.FromAddress(address, "grains"), locate, _deadlines.After(options.AttemptTimeout)).WaitAsync(ct);
            if (located.Failure is not null || located.Id.Length == 0) return false;
            state.Learn(partition.Id, PID.FromAddress(located.Address, located.Id));
            return true;
        }
        catch (Exception e) when (e is DeadLetterException or TimeoutException or OperationCanceledException)
        {
            // The next attempt asks another replica.
            return false;
        }
    }

    NodeSession SessionOf(uint partition, string key) => _sessions.GetOrAdd(
        partition,
        static (id, arg) => new NodeSession(id, () => arg.Router.OpenAsync(id, arg.Key)),
        (Router: this, Key: key));

    async Task<KvReply> OpenAsync(uint partition, string key)
    {
        var request = new KvRequest { OpenSession = new OpenSession { Owner = state.Self.Value, Label = $"node {state.Self}" } };
        return (await TryAsync(key, partition, request, null, default, _deadlines.After(options.RequestTimeout))).Reply;
    }

    async ValueTask<TimeSpan> PauseAsync(TimeSpan pause, CancellationToken ct)
    {
        double share;
        lock (_randomGate) share = 0.5 + ((random.NextUInt64() >> 11) * (0.5 / (1UL << 53)));
        await Task.Delay(pause * share, time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return pause * 2 > options.MaxRetryPause ? options.MaxRetryPause : pause * 2;
    }

    static KvReply Late(uint partition, Failure? last, bool uncertain)
    {
        var why = last is null ? "" : $": {last.Message}";
        return new KvReply
        {
            Partition = partition,
            Failure = uncertain
                ? Failures.Unknown(ErrorCode.DeadlineExceeded, $"no answer before the deadline; the request may or may not have been carried out{why}")
                : Failures.NotExecuted(
                    last?.Code is ErrorCode.NoQuorum or ErrorCode.NotLeader ? ErrorCode.NoQuorum : ErrorCode.DeadlineExceeded,
                    $"not carried out before the deadline{why}"),
        };
    }

    static bool IsWorthAnotherAttempt(ErrorCode code) => code is
        ErrorCode.NoQuorum or ErrorCode.NotLeader or ErrorCode.WrongPartition or ErrorCode.NodeStopping or ErrorCode.StaleEpoch or ErrorCode.DeadlineExceeded;
}
