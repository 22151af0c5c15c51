using ActorCluster.Protocol;
using ActorCluster.Protocol.Raft;
using ActorCluster.Raft.Storage;

namespace ActorCluster.Raft.Tests;

/// <summary>What scripts cannot say about suspect replicas (faults A15).</summary>
public sealed class SuspectReplicaTests
{
    static readonly NodeUid Self = new(2);
    static readonly GroupConfig Members = new() { Voters = { 1, 2, 3 } };

    [Fact]
    public void A15_A_replica_that_lost_term_and_vote_too_follows_and_is_never_trusted()
    {
        var core = Start(new Suspicion("damaged", TermIsLost: true));
        for (var round = 0; round < 5; round++)
        {
            var inquiry = Answer(core, Append(core, inquiry: 0)).Inquiry;
            Assert.NotEqual(0ul, inquiry);
            Assert.NotEqual(0ul, Answer(core, Append(core, inquiry)).Inquiry);
        }

        Assert.True(core.IsSuspect);
        Assert.False(Votes(core));
    }

    [Fact]
    public void A15_Only_an_answer_to_this_start_s_own_inquiry_makes_it_trusted()
    {
        var core = Start(new Suspicion("damaged"));
        var inquiry = Answer(core, Append(core, inquiry: 0)).Inquiry;
        Assert.NotEqual(0ul, Answer(core, Append(core, inquiry + 2)).Inquiry);
        Assert.True(core.IsSuspect);
        Assert.Equal(0ul, Answer(core, Append(core, inquiry)).Inquiry);
        Assert.False(core.IsSuspect);
        Assert.True(Votes(core));
    }

    [Fact]
    public void A15_The_answer_of_a_leader_of_an_earlier_term_is_forgotten()
    {
        var core = Start(new Suspicion("damaged"));
        var inquiry = Answer(core, Append(core, inquiry: 0)).Inquiry;

        // Leader 1 says that its log ends at 5, which is not here yet; then 3 leads, and says nothing yet.
        Answer(core, Append(core, inquiry, last: 5));
        Answer(core, Append(core, inquiry: 0, from: 3, term: 4, entries: 5));
        Assert.True(core.IsSuspect);
        Answer(core, Append(core, inquiry, from: 3, term: 4, last: 6));
        Assert.True(core.IsSuspect);
    }

    [Fact]
    public void A15_A_suspect_replica_grants_no_vote_not_even_the_one_that_it_gave_before()
    {
        Assert.False(Votes(Start(new Suspicion("damaged"), vote: new NodeUid(3))));
        Assert.True(Votes(Start(suspicion: null, vote: new NodeUid(3))));
    }

    static RaftNode Start(Suspicion? suspicion, NodeUid vote = default)
    {
        var recovered = new RecoveredGroup(new GroupId(7), new HardState(3, vote, 0), Members, Snapshot: null, [], suspicion);
        return new RaftNode(new RaftConfig(new GroupId(7), Self), recovered, appliedIndex: 0, new Xoshiro256(1));
    }

    /// <summary>An append of a leader whose log ends where it says; entries from 1 on, as many as asked for.</summary>
    static RaftMessage Append(RaftNode core, ulong inquiry, ulong from = 1, ulong term = 3, ulong last = 0, int entries = 0)
    {
        var request = new AppendRequest { Inquiry = inquiry, LastIndex = last };
        for (var i = 1; i <= entries; i++) request.Entries.Add(new Entry { Index = (ulong)i, Term = term });
        return new RaftMessage { Group = 7, From = from, To = core.Self.Value, Term = term, AppendRequest = request };
    }

    static AppendResponse Answer(RaftNode core, RaftMessage message)
    {
        core.Step(message);
        return Drain(core).Last(m => m.BodyCase == RaftMessage.BodyOneofCase.AppendResponse).AppendResponse;
    }

    static bool Votes(RaftNode core)
    {
        for (var i = 0; i < 30; i++) core.Tick();
        Drain(core);
        core.Step(new RaftMessage
        {
            Group = 7,
            From = 3,
            To = core.Self.Value,
            Term = Math.Max(core.Term, 3),
            VoteRequest = new VoteRequest { LastLogIndex = 9, LastLogTerm = 9 },
        });
        return Drain(core).Any(m => m is { BodyCase: RaftMessage.BodyOneofCase.VoteResponse, VoteResponse.Granted: true });
    }

    static List<RaftMessage> Drain(RaftNode core)
    {
        var messages = new List<RaftMessage>();
        while (core.HasReady)
        {
            var ready = core.TakeReady();
            messages.AddRange(ready.Messages);
            if (ready.Write is { } write) core.Durable(write);
        }

        return messages;
    }
}
