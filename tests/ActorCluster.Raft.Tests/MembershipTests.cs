using ActorCluster.Protocol;
using ActorCluster.Protocol.Raft;
using ActorCluster.Raft.Tests.Interaction;

namespace ActorCluster.Raft.Tests;

/// <summary>Changes of members: what a request answers and refuses. The order of events is in the scripts members_*.txt.</summary>
public sealed class MembershipTests
{
    [Fact]
    public void Only_the_leader_begins_a_change()
    {
        var world = World.OfVoters(3);
        world.Elect(1);
        Assert.Equal(MembershipChange.NotLeader, world.Core(2).ChangeMembers(Uids(1, 2), []));
        Assert.Equal(MembershipChange.UnderWay, world.Core(1).ChangeMembers(Uids(1, 2), []));
        world.Stabilize(1, 2, 3);
        Assert.Equal(MembershipChange.Done, world.Core(1).ChangeMembers(Uids(1, 2), []));
        Assert.Equal(Uids(1, 2), world.Core(1).Voters);
    }

    [Fact]
    public void A_request_without_voters_with_a_node_twice_or_with_too_many_members_is_refused()
    {
        var core = World.OfVoters(3).Core(1);
        Assert.Contains("at least one voter", Assert.Throws<ArgumentException>(() => core.ChangeMembers([], Uids(1))).Message, StringComparison.Ordinal);
        Assert.Contains("named twice", Assert.Throws<ArgumentException>(() => core.ChangeMembers(Uids(1, 2), Uids(2))).Message, StringComparison.Ordinal);
        Assert.Contains("at most 31", Assert.Throws<ArgumentException>(() => core.ChangeMembers([.. Enumerable.Range(1, 32).Select(u => new NodeUid((ulong)u))], [])).Message, StringComparison.Ordinal);
    }

    /// <summary>The last request counts: a newcomer that never answers must not block the group for ever.</summary>
    [Fact]
    public void Another_request_replaces_one_that_waits_for_a_dead_newcomer()
    {
        var world = World.OfVoters(3);
        world.Elect(1);
        world.AddNode(5);
        Assert.Equal(MembershipChange.UnderWay, world.Core(1).ChangeMembers(Uids(1, 2, 4), []));
        for (var i = 0; i < 50; i++)
        {
            foreach (var uid in world.Replicas.Keys) world.Tick(uid);
            world.Stabilize();
        }

        Assert.Equal(Uids(1, 2, 3), world.Leader!.Core.Voters);
        world.Leader.Core.ChangeMembers(Uids(1, 2, 5), []);
        world.Stabilize();
        Assert.Equal(Uids(1, 2, 5), world.Leader.Core.Voters);
        Assert.Empty(world.Leader.Core.Config.Learners);
    }

    /// <summary>Its time must not stand still before: a leader without time holds the others to itself for ever and repeats nothing that is lost.</summary>
    [Fact]
    public void A_leader_that_is_to_leave_is_needed_until_its_leaving_is_committed()
    {
        var world = World.OfVoters(3);
        world.Elect(1);
        world.Core(1).ChangeMembers(Uids(2, 3), []);
        Assert.DoesNotContain(new NodeUid(1), world.Core(1).Voters);
        Assert.Equal(RaftRole.Leader, world.Core(1).Role);
        Assert.True(world.Core(1).IsNeeded);

        world.Stabilize();
        Assert.Equal(new GroupConfig { Voters = { 2, 3 } }, world.Core(1).Config);
        Assert.False(world.Core(1).IsNeeded);
        Assert.True(world.Core(2).IsNeeded);
    }

    /// <summary>A voter that is on its way out votes in the old half, and may have to stand for election, until the joint configuration is left.</summary>
    [Fact]
    public void An_outgoing_voter_is_needed_as_long_as_its_configuration_is_joint()
    {
        var world = World.OfVoters(3);
        world.Elect(1);
        Assert.True(world.Core(3).IsNeeded);
        world.Core(1).ChangeMembers(Uids(1, 2), []);
        world.Stabilize();
        Assert.Equal(new GroupConfig { Voters = { 1, 2 } }, world.Core(1).Config);

        // The leader has left the joint configuration; the one that is out was not told.
        Assert.Equal(Uids(1, 2), world.Core(3).Voters);
        Assert.True(world.Core(3).Config.OutgoingVoters.Contains(3));
        Assert.True(world.Core(3).IsNeeded);
    }

    /// <summary>In which order a group's creator named its voters is no difference: no joint configuration for that.</summary>
    [Fact]
    public void The_same_voters_in_another_order_are_no_change()
    {
        var world = new World(new GroupConfig { Voters = { 3, 1, 2 } });
        world.Elect(1);
        Assert.Equal(MembershipChange.Done, world.Core(1).ChangeMembers(Uids(2, 3, 1), []));
    }

    /// <summary>An outgoing voter may stay as a learner: it votes until the joint configuration is left.</summary>
    [Fact]
    public void A_voter_becomes_a_learner_through_a_joint_configuration()
    {
        var world = World.OfVoters(3);
        world.Elect(1);
        world.Core(1).ChangeMembers(Uids(1, 2), Uids(3));
        Assert.Equal(new GroupConfig { Voters = { 1, 2 }, OutgoingVoters = { 1, 2, 3 }, LearnersNext = { 3 } }, world.Core(1).Config);
        world.Stabilize();
        Assert.Equal(new GroupConfig { Voters = { 1, 2 }, Learners = { 3 } }, world.Core(3).Config);
        Assert.Equal(RaftRole.Learner, world.Core(3).Role);
        world.Propose(1, "x");
        world.Stabilize();
        world.Tick(1, 3);
        world.Stabilize();
        Assert.Equal(["x"], world[3].State);
    }

    /// <summary>Leadership is never handed to a node on its way out, or to one without a vote.</summary>
    [Fact]
    public void Leadership_goes_to_a_voter_that_stays_only()
    {
        var world = new World(new GroupConfig { Voters = { 1, 2 }, Learners = { 3 } });
        world.Elect(1);
        Assert.False(world.Core(1).TransferLeadership(new NodeUid(3)));
        world.Core(1).ChangeMembers(Uids(1, 3), []);
        Assert.True(world.Core(1).Config.OutgoingVoters.Count > 0);
        Assert.False(world.Core(1).TransferLeadership(new NodeUid(2)));
    }

    static NodeUid[] Uids(params ulong[] uids) => [.. uids.Select(u => new NodeUid(u))];
}
