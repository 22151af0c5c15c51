using ActorCluster.Protocol;
using ActorCluster.Protocol.Raft;
using ActorCluster.Raft.Tests.Interaction;

namespace ActorCluster.Raft.Tests;

/// <summary>Each test is about the sentence of the Raft paper (or thesis) that it quotes.</summary>
public sealed class RaftPaperTests
{
    /// <summary>"If one server's current term is smaller than the other's, then it updates its current term to the larger value" (5.1).</summary>
    [Fact]
    public void A_server_takes_over_a_larger_term_and_becomes_follower()
    {
        var world = World.OfVoters(3);
        world.Elect(1);
        world.Core(1).Step(new RaftMessage { Group = 7, From = 2, To = 1, Term = 9, AppendResponse = new AppendResponse() });
        Assert.Equal((9ul, RaftRole.Follower), (world.Core(1).Term, world.Core(1).Role));
    }

    /// <summary>"If a server receives a request with a stale term number, it rejects the request" (5.1).</summary>
    [Fact]
    public void A_stale_append_is_refused_and_its_sender_learns_the_term()
    {
        var world = World.OfVoters(3);
        world.Elect(1);
        world.Elect(2);
        var last = world.Core(3).LastIndex;
        world.Core(3).Step(new RaftMessage
        {
            Group = 7,
            From = 1,
            To = 3,
            Term = 1,
            AppendRequest = new AppendRequest { PrevLogIndex = last, PrevLogTerm = 2, Entries = { new Entry { Index = last + 1, Term = 1 } } },
        });
        world.TakeReady(3);
        var answer = Assert.Single(world.Network);
        Assert.Equal(last, world.Core(3).LastIndex);
        Assert.Equal((2ul, false), (answer.Term, answer.AppendResponse.Success));
    }

    /// <summary>"Each server will vote for at most one candidate in a given term, on a first-come-first-served basis" (5.2).</summary>
    [Fact]
    public void A_server_votes_once_per_term_also_after_a_restart()
    {
        var world = World.OfVoters(3);
        RaftMessage Request(ulong from) => new() { Group = 7, From = from, To = 2, Term = 1, VoteRequest = new VoteRequest() };
        world.Core(2).Step(Request(1));
        world.Stabilize(2);
        Assert.Equal(new NodeUid(1), world.Core(2).Vote);
        world[2].Crash();
        world[2].Restart();
        world.Drop(_ => true);

        world.Core(2).Step(Request(3));
        world.Stabilize(2);

        Assert.Equal(new NodeUid(1), world.Core(2).Vote);
        Assert.False(Assert.Single(world.Network, m => m.To == 3).VoteResponse.Granted);
    }

    /// <summary>"election timeouts are chosen randomly from a fixed interval" (5.2).</summary>
    [Fact]
    public void Election_timeouts_spread_over_their_interval()
    {
        var timeouts = new HashSet<int>();
        for (ulong seed = 0; seed < 200; seed++)
        {
            var world = World.OfVoters(3, seed: seed);
            var ticks = 0;
            while (world.Core(1).Role == RaftRole.Follower)
            {
                world.Tick(1);
                ticks++;
            }

            timeouts.Add(ticks);
        }

        Assert.Equal(Enumerable.Range(10, 10), timeouts.Order());
    }

    /// <summary>"If followers crash or run slowly … the leader retries AppendEntries RPCs indefinitely … until all followers eventually store all log entries" (5.3).</summary>
    [Fact]
    public void A_lost_append_is_found_out_and_sent_again()
    {
        var world = World.OfVoters(3);
        world.Elect(1);
        world.Propose(1, "x");
        world.TakeReady(1);
        Assert.Equal(1, world.Drop(m => m.To == 3 && m.BodyCase == RaftMessage.BodyOneofCase.AppendRequest));
        world.Stabilize();
        Assert.Equal(1ul, world.Core(3).LastIndex);

        world.Tick(1, 2); // a heartbeat
        world.Stabilize();

        Assert.Equal(2ul, world.Core(3).LastIndex);
    }

    /// <summary>"A leader … never overwrites or deletes entries in its own log" (5.3).</summary>
    [Fact]
    public void A_leader_refuses_an_append_of_its_own_term()
    {
        var world = World.OfVoters(3);
        world.Elect(1);
        Assert.Throws<InvariantViolationException>(() => world.Core(1).Step(new RaftMessage
        {
            Group = 7,
            From = 2,
            To = 1,
            Term = 1,
            AppendRequest = new AppendRequest { Entries = { new Entry { Index = 1, Term = 1 } } },
        }));
    }

    /// <summary>"the follower can include the term of the conflicting entry and the first index it stores for that term" (5.3).</summary>
    [Fact]
    public void A_conflicting_term_costs_one_round_however_long_it_is()
    {
        var world = World.OfVoters(3);
        world.Elect(1);
        world.Cut(2);
        world.Cut(3);
        for (var i = 0; i < 50; i++) world.Propose(1, $"lost-{i}");
        world.Stabilize(1);
        world.Heal();
        world.Drop(_ => true);
        world[1].Crash();
        world.Elect(2);
        for (var i = 0; i < 50; i++) world.Propose(2, $"kept-{i}");
        world.Stabilize();
        world.Tick(2);
        world.Stabilize();
        Assert.True(world.Core(2).TransferLeadership(new NodeUid(3)));
        world.Stabilize(); // node 3 begins to probe node 1 at the end of its own log

        var rejections = 0;
        world.Trace = line => rejections += line.Contains("rejected=", StringComparison.Ordinal) && line.Contains("1->3", StringComparison.Ordinal) ? 1 : 0;
        world[1].Restart();
        for (var i = 0; i < 4; i++)
        {
            world.Tick(3);
            world.Stabilize();
        }

        Assert.Equal(world[3].State, world[1].State);
        Assert.InRange(rejections, 1, 3);
    }

    /// <summary>"if a server receives a RequestVote RPC within the minimum election timeout of hearing from a current leader, it does not update its term or grant its vote" (thesis 4.2.3).</summary>
    [Fact]
    public void Who_hears_a_leader_ignores_candidates()
    {
        var world = World.OfVoters(3);
        world.Elect(1);
        world.Core(2).Step(new RaftMessage { Group = 7, From = 3, To = 2, Term = 5, VoteRequest = new VoteRequest { LastLogTerm = 5, LastLogIndex = 50 } });
        Assert.Equal(1ul, world.Core(2).Term);
        for (var i = 0; i < 9; i++) world.Tick(2);
        world.Core(2).Step(new RaftMessage { Group = 7, From = 3, To = 2, Term = 5, VoteRequest = new VoteRequest { LastLogTerm = 5, LastLogIndex = 50 } });
        Assert.Equal(1ul, world.Core(2).Term);
        world.Tick(2);
        world.Core(2).Step(new RaftMessage { Group = 7, From = 3, To = 2, Term = 5, VoteRequest = new VoteRequest { LastLogTerm = 5, LastLogIndex = 50 } });
        Assert.Equal((5ul, new NodeUid(3)), (world.Core(2).Term, world.Core(2).Vote));
    }

    /// <summary>"a leader … steps down if an election timeout elapses without a successful round of heartbeats to a majority" (thesis 6.2).</summary>
    [Fact]
    public void A_leader_without_a_quorum_steps_down_within_an_election_timeout()
    {
        var world = World.OfVoters(3);
        world.Elect(1);
        world.Core(1).ReadIndex(1);
        for (var i = 0; i < 10; i++) world.Tick(1);
        Assert.Equal(RaftRole.Follower, world.Core(1).Role);
        world.TakeReady(1);
        Assert.True(Assert.Single(world[1].Reads).Rejected);
    }

    /// <summary>What is not addressed to this node's uid is not its business: a node that lost its disk comes back under another uid.</summary>
    [Fact]
    public void Messages_for_another_uid_or_group_are_dropped()
    {
        var world = World.OfVoters(3);
        world.Core(1).Step(new RaftMessage { Group = 7, From = 2, To = 4, Term = 9, VoteRequest = new VoteRequest() });
        world.Core(1).Step(new RaftMessage { Group = 8, From = 2, To = 1, Term = 9, VoteRequest = new VoteRequest() });
        Assert.Equal(0ul, world.Core(1).Term);
    }

    /// <summary>"A server accepts AppendEntries requests from a leader that is not part of the server's latest configuration" (thesis, 4.2.2).</summary>
    [Fact]
    public void A_leader_outside_the_configuration_is_followed()
    {
        var world = World.OfVoters(3);
        world.Core(1).Step(new RaftMessage { Group = 7, From = 4, To = 1, Term = 2, AppendRequest = new AppendRequest { Entries = { new Entry { Term = 2, Index = 1 } } } });
        Assert.Equal((2ul, 4ul, 1ul), (world.Core(1).Term, world.Core(1).Leader.Value, world.Core(1).LastIndex));
    }

    /// <summary>An answer of a node that is no voter elects nobody and commits nothing.</summary>
    [Fact]
    public void Answers_from_outside_the_configuration_count_for_nothing()
    {
        var world = World.OfVoters(3);
        world.Campaign(1);
        world.TakeReady(1);
        world.Core(1).Step(new RaftMessage { Group = 7, From = 4, To = 1, Term = 1, VoteResponse = new VoteResponse { PreVote = true, Granted = true } });
        Assert.Equal(RaftRole.PreCandidate, world.Core(1).Role);

        world.Stabilize();
        world.Propose(1, "x");
        world.TakeReady(1);
        world.CompleteWrite(1);
        var committed = world.Core(1).CommitIndex;
        world.Core(1).Step(new RaftMessage { Group = 7, From = 4, To = 1, Term = 1, AppendResponse = new AppendResponse { Success = true, MatchIndex = world.Core(1).LastIndex } });
        Assert.Equal(committed, world.Core(1).CommitIndex);
    }

    /// <summary>Guarantee G9: what a leader has taken and not committed is bounded, and refused beyond that.</summary>
    [Fact]
    public void Proposals_beyond_the_uncommitted_bytes_are_refused_until_some_are_committed()
    {
        var world = World.OfVoters(3, c => c with { MaxUncommittedBytes = 500 });
        world.Elect(1);
        var accepted = 0;
        while (world.Propose(1, new string('x', 50)).Accepted) accepted++;
        Assert.InRange(accepted, 1, 10);
        Assert.Equal(ProposalRefusal.Overloaded, world.Propose(1, new string('x', 50)).Refusal);

        world.Stabilize();
        Assert.True(world.Propose(1, new string('x', 50)).Accepted);
    }

    /// <summary>In-flight limits: a follower that does not answer gets no more than the window, and goes on where it stopped.</summary>
    [Fact]
    public void Appends_to_a_silent_follower_stop_at_the_window()
    {
        var world = World.OfVoters(3, c => c with { MaxInflightMessages = 4, MaxAppendBytes = 1 });
        world.Elect(1);
        for (var i = 0; i < 20; i++) world.Propose(1, $"w{i}");
        world.TakeReady(1);
        Assert.Equal(4, world.Network.Count(m => m.To == 3 && m.BodyCase == RaftMessage.BodyOneofCase.AppendRequest));
        world.Stabilize();
        Assert.Equal(21ul, world.Core(3).LastIndex);
    }
}
