using ActorCluster.Protocol;
using ActorCluster.Protocol.Raft;
using ActorCluster.Raft.Storage;
using ActorCluster.Raft.Tests.Interaction;

namespace ActorCluster.Raft.Tests;

/// <summary>Faults that others shipped, by their ids; the scripts and the random schedules cover more of them.</summary>
public sealed class FaultTests
{
    static World ElectedOf(int voters)
    {
        var world = World.OfVoters(voters);
        world.Elect(1);
        return world;
    }

    static RaftMessage Only(World world, Func<RaftMessage, bool> which) => Assert.Single(world.Network, m => which(m));

    static bool IsAck(RaftMessage m) => m.BodyCase == RaftMessage.BodyOneofCase.AppendResponse && m.AppendResponse.Success;

    [Fact]
    public void A2_An_empty_append_is_not_acknowledged_beyond_what_is_durable()
    {
        var world = ElectedOf(3);
        world.Propose(1, "x");
        world.TakeReady(1);
        var append = Only(world, m => m.To == 2 && m.BodyCase == RaftMessage.BodyOneofCase.AppendRequest);
        world.Deliver(m => m.To == 2);
        world.TakeReady(2); // entry 2 is handed to the disk, and not durable

        // The same entry again, and then an empty append after it: both must wait for the disk as the first does.
        world.Core(2).Step(append);
        world.TakeReady(2);
        var empty = append.Clone();
        empty.AppendRequest = new AppendRequest { PrevLogIndex = 2, PrevLogTerm = 1 };
        world.Core(2).Step(empty);
        world.TakeReady(2);
        Assert.DoesNotContain(world.Network, IsAck);
        Assert.Equal(1ul, world.Core(2).DurableIndex);

        world.CompleteWrite(2);
        world.TakeReady(2);
        Assert.Equal(2ul, Only(world, IsAck).AppendResponse.MatchIndex);
    }

    [Fact]
    public void G9_A_new_leader_that_learns_from_a_snapshot_what_is_committed_counts_it_no_more_as_uncommitted()
    {
        var world = World.OfVoters(3, config => config with { MaxUncommittedBytes = 400 });
        world.Elect(1);
        for (var i = 0; i < 2; i++)
        {
            world.Propose(1, new string('x', 100));
            world.Stabilize(m => m.From != 1 || m.BodyCase != RaftMessage.BodyOneofCase.Heartbeat);
        }

        var committed = world.Core(1).CommitIndex;
        Assert.True(world.Core(2).CommitIndex < committed && world.Core(2).LastIndex == committed, "2 has the entries, and has not heard that they are committed");
        world.Cut(1);
        for (var i = 0; i < 10; i++) world.Tick(3);
        world.Campaign(2);
        world.Stabilize(m => m.BodyCase is not (RaftMessage.BodyOneofCase.AppendRequest or RaftMessage.BodyOneofCase.AppendResponse), 2, 3);
        Assert.Equal(RaftRole.Leader, world.Core(2).Role);

        world.Core(2).SnapshotReceived(new SnapshotMeta { Index = committed, Term = world.Core(2).TermAt(committed)!.Value, Config = world.Core(2).Config });
        world.Stabilize(2, 3);

        Assert.True(world.Propose(2, new string('y', 300)).Accepted);
    }

    [Fact]
    public void A3_A_group_of_one_commits_only_what_is_durable()
    {
        var world = ElectedOf(1);
        var receipt = world.Propose(1, "x");
        world.TakeReady(1);
        Assert.Equal(receipt.Index - 1, world.Core(1).CommitIndex);

        world[1].Crash();
        world[1].Restart();
        Assert.Equal(receipt.Index - 1, world.Core(1).LastIndex); // the write was lost, and nobody was told otherwise

        world.Elect(1);
        receipt = world.Propose(1, "y");
        world.Stabilize();
        Assert.Equal(receipt.Index, world.Core(1).CommitIndex);
        Assert.Equal(["y"], world[1].State);
    }

    [Fact]
    public void A3_A_group_of_one_leads_only_once_its_vote_is_durable()
    {
        var world = World.OfVoters(1);
        world.Campaign(1);
        world.TakeReady(1);
        Assert.Equal(RaftRole.Candidate, world.Core(1).Role);
        world.CompleteWrite(1);
        Assert.Equal(RaftRole.Leader, world.Core(1).Role);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void B1_A_commit_needs_a_majority_of_durable_copies(int voters)
    {
        var world = ElectedOf(voters);
        var index = world.Propose(1, "x").Index;
        world.TakeReady(1);
        world.CompleteWrite(1);
        for (ulong copies = 1; copies <= (ulong)voters; copies++)
        {
            var expected = copies >= (ulong)QuorumMath.Majority(voters);
            Assert.Equal(expected, world.Core(1).CommitIndex >= index);
            if (copies == (ulong)voters) break;
            world.Deliver(m => m.To == copies + 1);
            world.Stabilize(copies + 1);
            world.Deliver(m => m.From == copies + 1 && m.To == 1);
        }
    }

    [Fact]
    public void B3_A_longer_log_of_an_older_term_gets_no_vote()
    {
        var world = World.OfVoters(3);
        var voter = new RaftNode(
            new RaftConfig(new GroupId(7), new NodeUid(2)),
            new RecoveredGroup(new GroupId(7), new HardState(5, default, 0), world.Core(2).Config, null, [new Entry { Term = 5, Index = 1 }]),
            0,
            new Xoshiro256(1));
        voter.Step(new RaftMessage
        {
            Group = 7,
            From = 1,
            To = 2,
            Term = 6,
            VoteRequest = new VoteRequest { LastLogTerm = 4, LastLogIndex = 100 },
        });
        Assert.Equal(NodeUid.None, voter.Vote);
        voter.Step(new RaftMessage { Group = 7, From = 3, To = 2, Term = 6, VoteRequest = new VoteRequest { LastLogTerm = 5, LastLogIndex = 1 } });
        Assert.Equal(new NodeUid(3), voter.Vote);
    }

    [Fact]
    public void B4_A_late_and_repeated_append_removes_nothing()
    {
        var world = ElectedOf(3);
        world.Propose(1, "a");
        world.TakeReady(1);
        var old = Only(world, m => m.To == 2 && m.BodyCase == RaftMessage.BodyOneofCase.AppendRequest);
        world.Propose(1, "b");
        world.Propose(1, "c");
        world.TakeReady(1);
        world.Deliver(m => m.To == 2);
        world.Stabilize(2); // it acknowledges "c", and does not know yet that any of it is committed
        Assert.Equal(4ul, Assert.Single(world.Network, IsAck).AppendResponse.MatchIndex);

        world.Core(2).Step(old); // ends at "a"
        world.TakeReady(2);

        Assert.Equal(4ul, world.Core(2).LastIndex);
        Assert.Equal(4ul, world.Core(2).DurableIndex);
        world.Stabilize();
        world.Tick(1);
        world.Stabilize();
        Assert.Equal(["a", "b", "c"], world[2].State);
    }

    [Fact]
    public void B6_A_new_leader_has_everything_that_was_acknowledged()
    {
        var world = ElectedOf(3);
        var written = Enumerable.Range(0, 10).Select(i => $"w{i}").ToArray();
        foreach (var word in written) world.Propose(1, word);
        world.Stabilize();
        Assert.Equal(written, world[1].State);

        world[1].Crash();
        world.Elect(2);

        Assert.Equal(written, world[2].State);
    }

    [Fact]
    public void B8_A_leader_whose_disk_stands_still_steps_down_and_another_leads()
    {
        var world = ElectedOf(3);
        world.Propose(1, "x");
        world.TakeReady(1); // to its disk, which never answers
        for (var tick = 0; tick < 60; tick++)
        {
            foreach (var uid in new ulong[] { 1, 2, 3 })
            {
                world.Tick(uid);
                if (world.Core(uid).HasReady) world.TakeReady(uid);
                if (uid == 1) continue;
                while (world.CompleteWrite(uid) || world.Apply(uid))
                {
                }
            }

            world.Deliver(_ => true);
        }

        Assert.NotEqual(RaftRole.Leader, world.Core(1).Role);
        Assert.Contains(world.Core(1).Leader.Value, new ulong[] { 2, 3 });
        Assert.Equal(RaftRole.Leader, world.Core(world.Core(1).Leader.Value).Role);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(5)]
    public void B10_A_group_elects_a_leader_while_a_minority_was_never_there(int voters)
    {
        var world = World.OfVoters(voters);
        for (var uid = QuorumMath.Majority(voters) + 1; uid <= voters; uid++) world[(ulong)uid].Crash();
        var ticks = 0;
        for (; world.Leader is null; ticks++)
        {
            Assert.True(ticks < 10 * 20, "no leader within ten election timeouts");
            foreach (var replica in world.Replicas.Values.Where(r => r.Up)) world.Tick(replica.Uid);
            world.Stabilize();
        }
    }

    [Fact]
    public void C1_A_read_in_a_new_term_waits_for_the_terms_first_commit()
    {
        var world = ElectedOf(3);
        world.Propose(1, "x");
        world.TakeReady(1);
        world.CompleteWrite(1);
        world.Deliver(m => m.To == 2);
        world.Stabilize(2); // "x" is durable on 2; nobody but 2 and 1 knows it, and nobody knows that it is committed
        world.Deliver(m => m.From == 2 && m.To == 1);
        world.Stabilize(1);
        Assert.Equal(["x"], world[1].State); // acknowledged
        world[1].Crash();
        world.Drop(m => m.From == 1 || m.To == 1);

        // Node 2 is elected, but its no-op has reached nobody yet: it does not know that "x" is committed.
        for (var i = 0; i < 10; i++) world.Tick(3);
        world.Campaign(2);
        world.Stabilize(m => m.BodyCase != RaftMessage.BodyOneofCase.AppendRequest);
        Assert.Equal(RaftRole.Leader, world.Core(2).Role);
        Assert.Empty(world[2].State);
        world.Core(2).ReadIndex(77);
        world.Stabilize(m => m.BodyCase != RaftMessage.BodyOneofCase.AppendRequest);
        Assert.Empty(world[2].Reads);

        world.Stabilize();
        var read = Assert.Single(world[2].Reads);
        Assert.False(read.Rejected);
        Assert.True(read.Index >= world.Core(2).CommitIndex, "the read's index is below the commit index");
        Assert.Equal(["x"], world[2].State);
    }

    [Fact]
    public void C2_A_confirmation_of_an_earlier_round_confirms_no_later_read()
    {
        var world = ElectedOf(3);
        world.Core(1).ReadIndex(1);
        world.TakeReady(1);
        var heartbeats = world.Network.Where(m => m.BodyCase == RaftMessage.BodyOneofCase.Heartbeat).ToList();
        world.Stabilize();
        Assert.Single(world[1].Reads);

        // The second read's heartbeats are lost; late answers to the first round must not confirm it.
        world.Core(1).ReadIndex(2);
        world.TakeReady(1);
        world.Drop(_ => true);
        foreach (var heartbeat in heartbeats) world.Core(heartbeat.To).Step(heartbeat);
        world.Stabilize();

        Assert.Single(world[1].Reads);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void C6_A_learner_reads_whatever_the_size_of_the_group(int voters)
    {
        var config = new GroupConfig { Learners = { 9 } };
        for (ulong uid = 1; uid <= (ulong)voters; uid++) config.Voters.Add(uid);
        var world = new World(config);
        world.Elect(1);
        world.Propose(1, "x");
        world.Stabilize();

        world.Core(9).ReadIndex(5);
        world.Stabilize();

        Assert.Equal(RaftRole.Learner, world.Core(9).Role);
        var read = Assert.Single(world[9].Reads);
        Assert.False(read.Rejected);
        Assert.Equal(["x"], world[9].State);
    }

    [Fact]
    public void E7_A_snapshot_taken_while_another_is_on_its_way_keeps_what_the_follower_needs_next()
    {
        var world = World.OfVoters(3, c => c with { KeepTailEntries = 0 });
        world.Elect(1);
        world.Cut(3);
        for (var i = 0; i < 5; i++) world.Propose(1, $"a{i}");
        world.Stabilize();
        world[1].TakeSnapshot();
        world.Heal();

        // The follower answers a heartbeat, and the leader finds that it needs the snapshot.
        world.Tick(1, 2);
        world.Stabilize(m => m.BodyCase != RaftMessage.BodyOneofCase.InstallSnapshot);
        Assert.Single(world.Network, m => m.BodyCase == RaftMessage.BodyOneofCase.InstallSnapshot);

        // While it travels the log grows and is compacted again.
        for (var i = 0; i < 5; i++) world.Propose(1, $"b{i}");
        world.Stabilize(m => m.BodyCase != RaftMessage.BodyOneofCase.InstallSnapshot);
        world[1].TakeSnapshot();

        world.Stabilize();
        world.Tick(1, 2);
        world.Stabilize();
        Assert.Equal(world[1].State, world[3].State);
        Assert.Equal(10, world[3].State.Count);
    }
}
