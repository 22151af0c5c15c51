using ActorCluster.Protocol;
using ActorCluster.Protocol.Keyspace;

namespace ActorCluster.Keyspace.Actors;

/// <summary>A sequence of the node's session with a partition, taken by one request until it ends.</summary>
public readonly record struct SessionTicket(ClientSession Session, ulong Sequence);

/// <summary>
/// This node's session with one partition: under it the router's retries are safe. Opened when the first write comes,
/// opened again when it expired. Safe to call from any thread.
/// </summary>
/// <param name="partition">For messages.</param>
/// <param name="open">Opens a session: one request, retried until it is answered or its deadline passes.</param>
sealed class NodeSession(uint partition, Func<Task<KvReply>> open)
{
    readonly Lock _gate = new();
    ClientSession? _session;
    Task<KvReply>? _opening;

    /// <summary>Takes a sequence; opens the session first when there is none.</summary>
    public async ValueTask<(SessionTicket Ticket, Failure? Failure)> BeginAsync(CancellationToken ct)
    {
        while (true)
        {
            Task<KvReply> opening;
            lock (_gate)
            {
                if (_session is { } session)
                {
                    return session.TryBegin(out var sequence)
                        ? (new SessionTicket(session, sequence), null)
                        : (default, Failures.NotExecuted(ErrorCode.Overloaded, $"too many writes to partition {partition} wait behind its oldest one"));
                }

                opening = _opening ??= OpenAsync();
            }

            var opened = await opening.WaitAsync(ct);
            if (opened.Failure is { } failure)
            {
                // Whatever became of the session, the write itself was not sent.
                return (default, Failures.NotExecuted(failure.Code, $"no session with partition {partition}: {failure.Message}"));
            }
        }
    }

    /// <summary>The reference for (another attempt of) the ticket's request.</summary>
    public SessionRef Reference(SessionTicket ticket)
    {
        lock (_gate) return ticket.Session.Reference(ticket.Sequence);
    }

    /// <summary>The request is over: its answer arrived, or nobody waits for it any more.</summary>
    public void End(SessionTicket ticket)
    {
        lock (_gate) ticket.Session.End(ticket.Sequence);
    }

    /// <summary>The partition does not know the session any more; the next request opens another.</summary>
    public void Expired(ClientSession session)
    {
        lock (_gate)
        {
            if (ReferenceEquals(_session, session)) _session = null;
        }
    }

    async Task<KvReply> OpenAsync()
    {
        // Not within the caller's lock.
        await Task.Yield();
        KvReply? reply = null;
        try
        {
            return reply = await open();
        }
        finally
        {
            lock (_gate)
            {
                if (reply is { Failure: null }) _session = new ClientSession(reply.SessionId);
                _opening = null;
            }
        }
    }
}
