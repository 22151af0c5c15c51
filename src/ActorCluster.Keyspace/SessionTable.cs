using ActorCluster.Protocol;
using ActorCluster.Protocol.Keyspace;

namespace ActorCluster.Keyspace;

/// <summary>Limits of a partition's sessions. Part of the replicated rules: the same on every replica, so constants here.</summary>
public static class SessionLimits
{
    /// <summary>Most sessions of a partition; one more ends the longest idle one.</summary>
    public const int MaxSessions = 10_000;

    /// <summary>Most bytes of kept replies of one session; beyond them new sequences are refused until older ones are acknowledged.</summary>
    public const long MaxReplyBytesPerSession = 4 * 1024 * 1024;

    /// <summary>Most bytes of kept replies of a partition; beyond them the longest idle sessions end.</summary>
    public const long MaxReplyBytes = 64 * 1024 * 1024;
}

/// <summary>How a command with a session is to be treated.</summary>
public enum SessionVerdict
{
    /// <summary>New: execute it, then <see cref="SessionTable.Store"/> its reply.</summary>
    Execute,

    /// <summary>A repeat: the stored reply is the answer.</summary>
    Repeat,

    /// <summary>Refused: the reply says why.</summary>
    Refused,
}

/// <summary>
/// The sessions of a partition (guarantee G4; Raft thesis, section 6.3): a command that carries (session, sequence) has
/// its effect once, however often and in whatever order its repeats are applied. A session is opened by a log entry whose
/// index is its id; an unknown id is refused and never taken for a new session. Pure: time comes with the entries.
/// </summary>
public sealed class SessionTable
{
    /// <summary>Most sequences of a session between the lowest pending and the newest.</summary>
    public const ulong Window = 4096;

    readonly Dictionary<ulong, Place> _sessions = [];
    ulong _edit = 1;

    // Ring of all sessions, longest idle first. Part of the replicated state (the cap ends the first): saved in this order.
    readonly Place _ring = Place.NewRing();

    public int Count => _sessions.Count;

    /// <summary>Size of all kept replies, in bytes.</summary>
    public long ReplyBytes { get; private set; }

    /// <summary>The session, or null when it is unknown (never opened, or ended).</summary>
    public Session? Find(ulong id) => _sessions.TryGetValue(id, out var place) ? place.Session : null;

    /// <summary>Opens a session; ends the longest idle one when there are too many.</summary>
    public void Open(ulong id, OpenSession request, ulong timeMs)
    {
        while (_sessions.Count >= SessionLimits.MaxSessions) End(_ring.Next);
        var place = new Place(new Session(id, request.Owner, request.Label, timeMs, _edit));
        _sessions.Add(id, place);
        place.InsertBefore(_ring);
    }

    /// <summary>Decides what is to be done with a committed command that carries a session, and acknowledges what it acknowledges.</summary>
    public SessionVerdict Begin(SessionRef reference, ulong requestHash, ulong timeMs, out CommandReply? reply)
    {
        if (_sessions.TryGetValue(reference.SessionId, out var place)) ForgetBelow(Touch(place, timeMs), reference.LowestPending);
        return Look(reference, requestHash, out reply);
    }

    /// <summary>
    /// What <see cref="Begin"/> would decide now; changes nothing. For one who must know before proposing: a grain's turn
    /// that would fail, or change nothing, because its first attempt has had its effect already.
    /// </summary>
    public SessionVerdict Look(SessionRef reference, ulong requestHash, out CommandReply? reply)
    {
        var sequence = reference.Sequence;
        reply = null;
        if (Find(reference.SessionId) is not { } session)
        {
            reply = Expired($"session {reference.SessionId} is unknown here: it ended, or was never opened");
        }
        else if (sequence < session.LowestPending)
        {
            reply = Expired($"session {session.Id} was told that nobody waits for sequence {sequence} (lowest pending is {session.LowestPending})");
        }
        else if (session.TryGet(sequence, out var stored, out var hash))
        {
            if (hash == requestHash)
            {
                reply = stored;
                return SessionVerdict.Repeat;
            }

            reply = Refused(ErrorCode.Conflict, $"session {session.Id} used sequence {sequence} for another request");
        }
        else if (sequence - session.LowestPending >= Window)
        {
            reply = Refused(ErrorCode.Overloaded, $"session {session.Id}: sequence {sequence} is {Window} or more above lowest pending {session.LowestPending}");
        }
        else if (session.StoredBytes >= SessionLimits.MaxReplyBytesPerSession)
        {
            reply = Refused(
                ErrorCode.Overloaded,
                $"session {session.Id} keeps {session.StoredBytes} bytes of unacknowledged replies; at most {SessionLimits.MaxReplyBytesPerSession} are allowed");
        }

        return reply is null ? SessionVerdict.Execute : SessionVerdict.Refused;
    }

    /// <summary>Keeps the reply of a command that <see cref="Begin"/> let through in this entry.</summary>
    public void Store(SessionRef reference, CommandReply reply, ulong requestHash)
    {
        // The command itself may have ended its session (an ExpireSessions under a session): nothing is left to remember.
        if (Find(reference.SessionId) is not { } session) return;
        var before = session.StoredBytes;
        session.Store(reference.Sequence, reply, requestHash);
        ReplyBytes += session.StoredBytes - before;
        while (ReplyBytes > SessionLimits.MaxReplyBytes && _ring.Next.Session.Id != session.Id) End(_ring.Next);
    }

    /// <summary>Ends those of the named sessions that are idle for as long as the entry says.</summary>
    public void Expire(ExpireSessions request, ulong timeMs)
    {
        foreach (var id in request.SessionIds)
        {
            if (_sessions.TryGetValue(id, out var place) && timeMs - place.Session.LastActiveMs >= request.IdleMs) End(place);
        }
    }

    /// <summary>Sessions that did nothing for so long, longest idle first; at most so many.</summary>
    public IReadOnlyList<ulong> IdleFor(ulong idleMs, ulong timeMs, int atMost)
    {
        var idle = new List<ulong>();
        for (var place = _ring.Next; place != _ring && idle.Count < atMost; place = place.Next)
        {
            if (timeMs < place.Session.LastActiveMs || timeMs - place.Session.LastActiveMs < idleMs) break;
            idle.Add(place.Session.Id);
        }

        return idle;
    }

    /// <summary>All sessions as they are now, longest idle first. What is captured is copied before it is changed again.</summary>
    internal Session[] Capture()
    {
        var sessions = new Session[_sessions.Count];
        var i = 0;
        for (var place = _ring.Next; place != _ring; place = place.Next) sessions[i++] = place.Session;
        _edit++;
        return sessions;
    }

    /// <summary>Adds a session from a snapshot, as the most recently active one.</summary>
    internal void Restore(SessionState state)
    {
        var place = new Place(Session.Restore(state, _edit));
        if (state.SessionId == 0 || !_sessions.TryAdd(state.SessionId, place))
            throw new InvalidDataException($"session {state.SessionId} is 0 or there twice");
        place.InsertBefore(_ring);
        ReplyBytes += place.Session.StoredBytes;
    }

    Session Touch(Place place, ulong timeMs)
    {
        if (place.Session.Edit != _edit) place.Session = place.Session.Copy(_edit);
        place.Session.LastActiveMs = timeMs;
        place.Unlink();
        place.InsertBefore(_ring);
        return place.Session;
    }

    void ForgetBelow(Session session, ulong lowestPending)
    {
        var before = session.StoredBytes;
        session.Forget(lowestPending);
        ReplyBytes += session.StoredBytes - before;
    }

    void End(Place place)
    {
        place.Unlink();
        ReplyBytes -= place.Session.StoredBytes;
        _sessions.Remove(place.Session.Id);
    }

    // What a repeat did before its session ended cannot be known any more.
    static CommandReply Expired(string message) => new() { Failure = Failures.Unknown(ErrorCode.SessionExpired, message) };

    static CommandReply Refused(ErrorCode code, string message) => new() { Failure = Failures.NotExecuted(code, message) };

    sealed class Place
    {
        Place _previous;

        public Place(Session session)
        {
            Session = session;
            Next = _previous = this;
        }

        public Session Session { get; set; }

        public Place Next { get; private set; }

        public static Place NewRing() => new(null!);

        public void InsertBefore(Place place)
        {
            Next = place;
            _previous = place._previous;
            place._previous.Next = this;
            place._previous = this;
        }

        public void Unlink()
        {
            _previous.Next = Next;
            Next._previous = _previous;
            Next = _previous = this;
        }
    }
}
