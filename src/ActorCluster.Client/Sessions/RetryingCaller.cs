using ActorCluster.Client.Routing;
using ActorCluster.Protocol;
using ActorCluster.Protocol.Grains;
using ActorCluster.Protocol.Keyspace;
using Google.Protobuf;
using Proto;
using Failure = ActorCluster.Protocol.Failure;

namespace ActorCluster.Client.Sessions;

/// <summary>
/// Carries a request to where its target lives, again and again until it ends or its deadline passes. Every repeat carries
/// the same session and sequence, so that its effect is single however often it is sent (guarantee G4).
/// </summary>
sealed class RetryingCaller
{
    readonly IRootContext _root;
    readonly LostConnections _connections;
    readonly Locator _locator;
    readonly PartitionTableSource _partitions;
    readonly SessionPool _sessions;
    readonly ActorClusterClientOptions _options;

    public RetryingCaller(IRootContext root, LostConnections connections, Locator locator, PartitionTableSource partitions, ActorClusterClientOptions options, ulong owner)
    {
        _root = root;
        _connections = connections;
        _locator = locator;
        _partitions = partitions;
        _options = options;
        _sessions = new SessionPool((identity, ct) => OpenSessionAsync(identity, owner, ct), options.MaxInFlightPerPartition);
    }

    /// <summary>A request that may change something: carried out once.</summary>
    public Task<TReply> WriteAsync<TReply>(string kind, string identity, Func<SessionRef?, ulong, IMessage> build, Func<TReply, Failure?> failureOf, CancellationToken ct) =>
        CallAsync(kind, identity, withSession: true, build, failureOf, ct);

    /// <summary>A request without an effect: repeated freely.</summary>
    public Task<TReply> ReadAsync<TReply>(string kind, string identity, Func<SessionRef?, ulong, IMessage> build, Func<TReply, Failure?> failureOf, CancellationToken ct) =>
        CallAsync(kind, identity, withSession: false, build, failureOf, ct);

    async Task<TReply> CallAsync<TReply>(
        string kind, string identity, bool withSession, Func<SessionRef?, ulong, IMessage> build, Func<TReply, Failure?> failureOf, CancellationToken ct)
    {
        using var timeout = new CancellationTokenSource(_options.RequestTimeout, _options.Time);
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, ct);
        var deadlineMs = (ulong)(_options.Time.GetUtcNow() + _options.RequestTimeout).ToUnixTimeMilliseconds();
        var request = new Progress();
        try
        {
            for (var attempt = 0; ; attempt++)
            {
                var table = await _partitions.GetAsync(deadline.Token);
                var target = new Target(kind, identity, table.Find(identity));
                if (withSession && request.Session is null)
                {
                    var session = await _sessions.GetAsync(target.Partition, identity, deadline.Token);
                    request.Begin(session, await session.BeginAsync(deadline.Token));
                }

                var located = await _locator.FindAsync(target, deadline.Token);
                Failure? failure = located.Failure is { Code: not ErrorCode.None } nowhere ? nowhere : null;
                var asked = failure is null;
                if (asked)
                {
                    // A repeat after any attempt whose end is not known may find that the effect is there already.
                    var (reply, trouble) = await AttemptAsync<TReply>(located, build(request.Reference, deadlineMs), deadline.Token);
                    failure = trouble ?? failureOf(reply!);
                    if (failure is null || failure.Code == ErrorCode.None) return reply!;
                    if (RetryRules.PlaceIsWrong(failure.Code) || trouble is not null) _locator.Refuse(target, located);
                }

                request.Last = failure;
                if (withSession && failure!.Code == ErrorCode.SessionExpired && !request.MayHaveHappened)
                {
                    // This sequence was never under way before, so the refusal is certain: begin anew in another session.
                    request.DropSession();
                    continue;
                }

                if (asked && withSession && failure!.Outcome == OutcomeKind.Unknown) request.MayHaveHappened = true;
                if (!RetryRules.MayEndBetter(failure!.Code)) throw ClusterRequestException.From(failure, request.MayHaveHappened);
                if (failure.Code == ErrorCode.WrongPartition) await _partitions.RefreshAsync(table, deadline.Token);
                await Task.Delay(RetryRules.Pause(attempt), _options.Time, deadline.Token);
            }
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested)
        {
            throw request.Late(kind, identity);
        }
        catch (NotExecutedException e) when (request.MayHaveHappened)
        {
            throw new OutcomeUnknownException(e.Code, e.Message, e);
        }
        finally
        {
            request.End();
        }
    }

    async Task<(TReply? Reply, Failure? Trouble)> AttemptAsync<TReply>(Located at, IMessage message, CancellationToken deadline)
    {
        using var attempt = new CancellationTokenSource(_options.AttemptTimeout, _options.Time);
        var lost = _connections.TokenOf(at.Address);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(attempt.Token, lost, deadline);
        try
        {
            return (await _root.RequestAsync<TReply>(Locator.PidOf(at), message, either.Token), null);
        }
        catch (DeadLetterException)
        {
            // Not only "no such actor": the connection may have broken with the request on its way.
            return (default, Lost($"{at.Id} at {at.Address} is gone"));
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            return (default, Lost($"{at.Id} at {at.Address} {(lost.IsCancellationRequested || e is UnknownOutcomeException ? "was lost" : "did not answer")}"));
        }
    }

    async Task<ulong> OpenSessionAsync(string identity, ulong owner, CancellationToken ct)
    {
        // Without a session of its own: a repeat may open a second one, which stays idle and ends by itself.
        var reply = await ReadAsync<KvReply>(
            Target.KvKind,
            identity,
            (_, deadlineMs) => new KvRequest { DeadlineUnixMs = deadlineMs, OpenSession = new OpenSession { Owner = owner, Label = _options.Label } },
            static r => r.Failure,
            ct);
        return reply.SessionId;
    }

    static Failure Lost(string message) => new() { Outcome = OutcomeKind.Unknown, Code = ErrorCode.DeadlineExceeded, Message = message };

    /// <summary>What is known of one request so far.</summary>
    sealed class Progress
    {
        ulong _sequence;

        public PartitionSession? Session { get; private set; }

        /// <summary>An attempt ended without saying how: from then on no failure proves that nothing happened.</summary>
        public bool MayHaveHappened { get; set; }

        public Failure? Last { get; set; }

        public SessionRef? Reference => Session?.Reference(_sequence);

        public void Begin(PartitionSession session, ulong sequence)
        {
            Session = session;
            _sequence = sequence;
        }

        public void DropSession()
        {
            Session!.Expire();
            End();
        }

        public void End()
        {
            Session?.End(_sequence);
            Session = null;
        }

        public ClusterRequestException Late(string kind, string identity)
        {
            var why = Last is null ? "" : $" (last: {Last.Code}: {Last.Message})";
            return MayHaveHappened
                ? new OutcomeUnknownException(ErrorCode.DeadlineExceeded, $"{kind}/{identity}: the deadline passed{why}; it may have happened")
                : new NotExecutedException(Last?.Code ?? ErrorCode.DeadlineExceeded, $"{kind}/{identity}: the deadline passed{why}; it did not happen");
        }
    }
}
