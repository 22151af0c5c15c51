using System.Collections.Concurrent;
using ActorCluster.Protocol;
using ActorCluster.Protocol.Keyspace;
using ActorCluster.Raft;

namespace ActorCluster.Keyspace.Actors;

/// <summary>One call of something in a partition, as <see cref="PartitionCalls"/> carries it out.</summary>
/// <typeparam name="TReply">What it ends as; holds a failure or a result.</typeparam>
public abstract class PartitionCall<TReply>
    where TReply : class
{
    /// <summary>Chooses the partition.</summary>
    public abstract string Key { get; }

    /// <summary>Whether an attempt can have an effect; without one, a lost attempt had none.</summary>
    public abstract bool HasEffect { get; }

    /// <summary>Whether the attempts go under this node's own session with the partition.</summary>
    public abstract bool UsesNodeSession { get; }

    /// <summary>One attempt; null when there is nobody to send to now.</summary>
    /// <param name="session">The node's session, if <see cref="UsesNodeSession"/>.</param>
    /// <param name="attempt">Counts from 0.</param>
    /// <param name="ct">The deadline of the whole.</param>
    public abstract ValueTask<TReply?> AttemptAsync(SessionRef? session, int attempt, CancellationToken ct);

    public abstract Failure? FailureOf(TReply reply);

    public abstract TReply Fail(Failure failure);
}

/// <summary>
/// Carries calls out: tries again within the deadline while that is safe, and says honestly how it ended. What has an
/// effect goes under this node's session with the partition (or the caller's own), so that a repeat after an attempt of
/// unknown outcome cannot have its effect twice. Bounded; safe to call from any thread.
/// </summary>
public sealed class PartitionCalls(KeyspaceState state, KeyspaceOptions options, TimeProvider time, IRandomSource random)
{
    readonly ConcurrentDictionary<uint, NodeSession> _sessions = new();
    readonly Lock _randomGate = new();
    int _inFlight;

    /// <summary>Calls under way.</summary>
    public int InFlight => Volatile.Read(ref _inFlight);

    /// <summary>Tokens for deadlines of this node's calls.</summary>
    public DeadlineTokens Deadlines { get; } = new(time);

    /// <summary>Opens a session with the partition of a key. Set once, when the node is put together.</summary>
    internal Func<string, CancellationToken, ValueTask<KvReply>> OpenSession { get; set; } =
        (_, _) => throw new InvalidOperationException("no router was made for these calls");

    /// <summary>Carries a call out.</summary>
    /// <param name="call">The call; already checked.</param>
    /// <param name="ct">The deadline. When it cannot be cancelled, <see cref="KeyspaceOptions.RequestTimeout"/> is the deadline.</param>
    public async ValueTask<TReply> RunAsync<TReply>(PartitionCall<TReply> call, CancellationToken ct) where TReply : class
    {
        if (!ct.CanBeCanceled) ct = Deadlines.After(options.RequestTimeout);
        if (Interlocked.Increment(ref _inFlight) > options.MaxInFlight)
        {
            Interlocked.Decrement(ref _inFlight);
            return call.Fail(Failures.NotExecuted(ErrorCode.Overloaded, $"this node has {options.MaxInFlight} requests under way; no more are taken"));
        }

        try
        {
            if (state.Map is not { } map)
                return call.Fail(Failures.NotExecuted(ErrorCode.NotAMember, "this node does not know the partition map yet: it has not joined a cluster"));
            return call.UsesNodeSession
                ? await UnderSessionAsync(call, map.Find(call.Key).Id, ct)
                : (await TryAsync(call, null, default, ct)).Reply;
        }
        finally
        {
            Interlocked.Decrement(ref _inFlight);
        }
    }

    async ValueTask<TReply> UnderSessionAsync<TReply>(PartitionCall<TReply> call, uint partition, CancellationToken ct) where TReply : class
    {
        var session = _sessions.GetOrAdd(
            partition,
            static (id, arg) => new NodeSession(id, () => arg.Calls.OpenSession(arg.Key, arg.Calls.Deadlines.After(arg.Calls.RequestTimeout)).AsTask()),
            (Calls: this, call.Key));
        while (true)
        {
            SessionTicket ticket;
            try
            {
                (ticket, var failure) = await session.BeginAsync(ct);
                if (failure is not null) return call.Fail(failure);
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
                return call.Fail(Late(null, uncertain: false));
            }

            try
            {
                var (reply, uncertain) = await TryAsync(call, session, ticket, ct);
                if (call.FailureOf(reply)?.Code != ErrorCode.SessionExpired) return reply;
                session.Expired(ticket.Session);
                // Refused, and never accepted before: under a new session it is still the first time.
                if (uncertain || ct.IsCancellationRequested) return reply;
            }
            finally
            {
                session.End(ticket);
            }
        }
    }

    TimeSpan RequestTimeout => options.RequestTimeout;

    /// <summary>Attempts until there is an answer, or the deadline passes.</summary>
    /// <returns>The answer, and whether an attempt before it may have had its effect.</returns>
    async ValueTask<(TReply Reply, bool Uncertain)> TryAsync<TReply>(PartitionCall<TReply> call, NodeSession? session, SessionTicket ticket, CancellationToken ct)
        where TReply : class
    {
        var uncertain = false;
        var pause = options.MinRetryPause;
        Failure? last = null;
        for (var attempt = 0; !ct.IsCancellationRequested; attempt++)
        {
            var reply = await call.AttemptAsync(session?.Reference(ticket), attempt, ct);
            if (reply is null)
            {
                last ??= Failures.NotExecuted(ErrorCode.NoQuorum, $"the partition of '{call.Key}' has no leader that this node knows of");
                pause = await PauseAsync(pause, ct);
                continue;
            }

            if (call.FailureOf(reply) is not { } failure) return (reply, uncertain);
            if (!IsWorthAnotherAttempt(failure.Code))
            {
                if (uncertain && failure.Outcome == OutcomeKind.NotExecuted)
                    reply = call.Fail(Failures.Unknown(failure.Code, $"{failure.Message}; an earlier attempt may have been carried out"));
                return (reply, uncertain);
            }

            uncertain |= call.HasEffect && failure.Outcome == OutcomeKind.Unknown;
            last = failure;
            pause = await PauseAsync(pause, ct);
        }

        return (call.Fail(Late(last, uncertain)), uncertain);
    }

    async ValueTask<TimeSpan> PauseAsync(TimeSpan pause, CancellationToken ct)
    {
        double share;
        lock (_randomGate) share = 0.5 + ((random.NextUInt64() >> 11) * (0.5 / (1UL << 53)));
        await Task.Delay(pause * share, time, ct).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return pause * 2 > options.MaxRetryPause ? options.MaxRetryPause : pause * 2;
    }

    static Failure Late(Failure? last, bool uncertain)
    {
        var why = last is null ? "" : $": {last.Message}";
        return uncertain
            ? Failures.Unknown(ErrorCode.DeadlineExceeded, $"no answer before the deadline; the request may or may not have been carried out{why}")
            : Failures.NotExecuted(
                last?.Code is ErrorCode.NoQuorum or ErrorCode.NotLeader ? ErrorCode.NoQuorum : ErrorCode.DeadlineExceeded,
                $"not carried out before the deadline{why}");
    }

    static bool IsWorthAnotherAttempt(ErrorCode code) => code is
        ErrorCode.NoQuorum or ErrorCode.NotLeader or ErrorCode.WrongPartition or ErrorCode.NodeStopping or ErrorCode.StaleEpoch or ErrorCode.DeadlineExceeded;
}
