using ActorCluster.Protocol;
using ActorCluster.Protocol.Keyspace;
using FsCheck;
using FsCheck.Fluent;

namespace ActorCluster.Keyspace.Tests;

public class SessionTests
{
    readonly TestPartition _partition = new();

    [Fact]
    public void E11_A_repeat_has_no_second_effect_and_gets_the_stored_reply()
    {
        var session = _partition.OpenSession();
        var first = _partition.Put("a", "1", session, 1);
        _partition.Put("a", "2");
        var repeat = _partition.Put("a", "1", session, 1);

        Assert.Equal(first, repeat);
        Assert.Equal("2", _partition.Get("a"));
    }

    [Fact]
    public void E11_A_repeat_is_recognised_whatever_was_applied_in_between_and_in_whatever_order()
    {
        var session = _partition.OpenSession();
        var third = _partition.Put("c", "3", session, 3);
        var first = _partition.Put("a", "1", session, 1);
        Assert.Equal(third, _partition.Put("c", "3", session, 3));
        var second = _partition.Put("b", "2", session, 2);
        Assert.Equal(first, _partition.Put("a", "1", session, 1));
        Assert.Equal(second, _partition.Put("b", "2", session, 2));
        Assert.Equal(3, _partition.Machine.Sessions.Find(session)!.StoredReplies);
    }

    [Fact]
    public void An_unknown_session_is_refused_and_never_taken_for_a_new_one()
    {
        var reply = _partition.Put("a", "1", session: 4711, sequence: 1);
        Assert.Equal((OutcomeKind.Unknown, ErrorCode.SessionExpired), (reply.Failure.Outcome, reply.Failure.Code));
        Assert.Null(_partition.Get("a"));
        Assert.Equal(0, _partition.Machine.Sessions.Count);
    }

    [Fact]
    public void Another_request_under_the_same_sequence_is_refused_with_a_typed_error()
    {
        var session = _partition.OpenSession();
        _partition.Put("a", "1", session, 1);
        var other = _partition.Put("a", "2", session, 1);
        Assert.Equal((OutcomeKind.NotExecuted, ErrorCode.Conflict), (other.Failure.Outcome, other.Failure.Code));
        Assert.Equal("1", _partition.Get("a"));
    }

    [Fact]
    public void A_sequence_that_nobody_waits_for_is_refused_and_its_reply_forgotten()
    {
        var session = _partition.OpenSession();
        _partition.Put("a", "1", session, 1);
        _partition.Put("b", "2", session, 2, lowestPending: 2);
        Assert.Equal(1, _partition.Machine.Sessions.Find(session)!.StoredReplies);

        var late = _partition.Put("a", "1", session, 1);
        Assert.Equal((OutcomeKind.Unknown, ErrorCode.SessionExpired), (late.Failure.Outcome, late.Failure.Code));
    }

    [Fact]
    public void The_window_is_bounded_and_moves_with_the_lowest_pending()
    {
        var session = _partition.OpenSession();
        _partition.Put("a", "1", session, 1);
        var beyond = SessionTable.Window + 1;
        var refused = _partition.Put("b", "1", session, beyond);
        Assert.Equal((OutcomeKind.NotExecuted, ErrorCode.Overloaded), (refused.Failure.Outcome, refused.Failure.Code));

        Assert.Null(_partition.Put("b", "1", session, beyond, lowestPending: 2).Failure);
        Assert.Equal("1", _partition.Get("b"));
    }

    [Fact]
    public void Kept_replies_are_bounded_in_bytes()
    {
        var session = _partition.OpenSession();
        var sequence = 0ul;
        CommandReply reply;
        do reply = _partition.Part(new string('x', 1_000_000), session, ++sequence);
        while (reply.Failure is null && sequence < 100);

        Assert.Equal((OutcomeKind.NotExecuted, ErrorCode.Overloaded), (reply.Failure!.Outcome, reply.Failure.Code));
        Assert.InRange(_partition.Machine.Sessions.ReplyBytes, SessionLimits.MaxReplyBytesPerSession, SessionLimits.MaxReplyBytesPerSession + 1_100_000);

        // Acknowledged replies make room, and the refused sequence was not used up.
        Assert.Null(_partition.Part(new string('x', 1_000_000), session, sequence, lowestPending: sequence).Failure);
        Assert.InRange(_partition.Machine.Sessions.ReplyBytes, 1, 1_100_000);
    }

    [Fact]
    public void A_reply_that_promises_no_effect_is_not_kept()
    {
        var session = _partition.OpenSession();
        Assert.Equal(OutcomeKind.NotExecuted, _partition.Part("refuse", session, 1).Failure.Outcome);
        Assert.Equal(0, _partition.Machine.Sessions.Find(session)!.StoredReplies);
        Assert.Null(_partition.Part("now it works", session, 1).Failure);
    }

    [Fact]
    public void One_session_too_many_ends_the_longest_idle_one()
    {
        var first = _partition.OpenSession();
        var second = _partition.OpenSession();
        _partition.Put("a", "1", first, 1);
        for (var i = 2; i < SessionLimits.MaxSessions + 1; i++) _partition.OpenSession();

        Assert.Equal(SessionLimits.MaxSessions, _partition.Machine.Sessions.Count);
        Assert.NotNull(_partition.Machine.Sessions.Find(first));
        Assert.Null(_partition.Machine.Sessions.Find(second));
    }

    [Fact]
    public void Sessions_end_by_an_entry_that_carries_the_time_and_only_when_still_idle_then()
    {
        _partition.TimeMs = 1_000;
        var idle = _partition.OpenSession();
        var active = _partition.OpenSession();
        _partition.TimeMs = 5_000;
        Assert.Equal([idle, active], _partition.Machine.Sessions.IdleFor(4_000, 5_000, 10));

        _partition.Put("a", "1", active, 1);
        _partition.Apply(new PartitionCommand { TimeMs = 5_000, ExpireSessions = new ExpireSessions { SessionIds = { idle, active, 99 }, IdleMs = 4_000 } });
        Assert.Null(_partition.Machine.Sessions.Find(idle));
        Assert.NotNull(_partition.Machine.Sessions.Find(active));
    }

    [Fact]
    public void Time_never_falls_when_a_new_leaders_clock_is_behind()
    {
        _partition.TimeMs = 9_000;
        _partition.Put("a", "1");
        _partition.TimeMs = 2_000;
        var session = _partition.OpenSession();
        Assert.Equal(9_000ul, _partition.Machine.TimeMs);
        Assert.Equal(9_000ul, _partition.Machine.Sessions.Find(session)!.LastActiveMs);
    }

    sealed record Send(int Client, ulong Sequence, int Copies, int Delay);

    /// <summary>
    /// Clients pipeline increments; the network duplicates, delays and reorders every attempt. Whatever the order, each
    /// request that was not given up has its effect exactly once, and every attempt that is answered with a result gets
    /// the same one.
    /// </summary>
    [Fact]
    public void E11_Duplicated_and_reordered_attempts_apply_once()
    {
        var sends = (
            from clients in Gen.Choose(1, 4)
            from perClient in Gen.Choose(1, 40)
            from attempts in (
                from copies in Gen.Choose(1, 4)
                from delay in Gen.Choose(0, 60)
                select (copies, delay)).ArrayOf(clients * perClient)
            select attempts.Select((a, i) => new Send(i % clients, (ulong)(i / clients) + 1, a.copies, a.delay)).ToArray()).ToArbitrary();

        Prop.ForAll(sends, all =>
        {
            var partition = new TestPartition(captureEvery: 7);
            var sessions = all.Select(s => s.Client).Distinct().ToDictionary(c => c, _ => new ClientSession(partition.OpenSession()));

            // Attempts on the wire: each copy arrives after its own delay, so that copies overtake each other.
            var wire = new SortedDictionary<(int At, int Tie), (Send Send, SessionRef Reference)>();
            var answers = new Dictionary<(int, ulong), CommandReply>();
            var clock = 0;
            foreach (var send in all)
            {
                Assert.True(sessions[send.Client].TryBegin(out var sequence));
                Assert.Equal(send.Sequence, sequence);
                for (var copy = 0; copy < send.Copies; copy++)
                    wire.Add((clock + (copy * send.Delay) + (send.Delay / 2), wire.Count + (clock * 1000)), (send, sessions[send.Client].Reference(sequence)));
                clock++;
                Deliver(clock);
            }

            Deliver(int.MaxValue);

            foreach (var send in all)
                Assert.Equal(1, partition.Effects($"{send.Client}/{send.Sequence}"));
            Assert.All(sessions.Values, s => Assert.True(s.IsIdle));

            void Deliver(int until)
            {
                while (wire.Count > 0 && wire.First() is var (key, attempt) && key.At < until)
                {
                    wire.Remove(key);
                    var id = (attempt.Send.Client, attempt.Send.Sequence);
                    var reply = partition.Count($"{id.Client}/{id.Sequence}", attempt.Reference);
                    if (!answers.TryGetValue(id, out var first))
                    {
                        Assert.Null(reply.Failure);
                        answers[id] = reply;
                        sessions[id.Client].End(id.Sequence);
                    }
                    else if (reply.Failure is null)
                    {
                        Assert.Equal(first, reply);
                    }
                    else
                    {
                        Assert.Equal(ErrorCode.SessionExpired, reply.Failure.Code);
                    }
                }
            }
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void A_client_session_keeps_the_lowest_pending_and_bounds_its_window()
    {
        var session = new ClientSession(7, window: 4);
        for (var i = 1ul; i <= 4; i++)
        {
            Assert.True(session.TryBegin(out var sequence));
            Assert.Equal(i, sequence);
        }

        Assert.False(session.TryBegin(out _));
        session.End(2);
        session.End(4);
        Assert.Equal(1ul, session.LowestPending);
        Assert.False(session.TryBegin(out _));
        session.End(1);
        Assert.Equal(3ul, session.LowestPending);
        Assert.True(session.TryBegin(out var fifth));
        Assert.Equal(new SessionRef { SessionId = 7, Sequence = 5, LowestPending = 3 }, session.Reference(fifth));
    }
}
