using ActorCluster.Protocol;
using ActorCluster.Protocol.Membership;
using static ActorCluster.Membership.Tests.Build;

namespace ActorCluster.Membership.Tests;

public class CoordinatorPolicyTests
{
    readonly CoordinatorPolicy _policy = new();
    readonly CoordinatorStateMachine _coordinator = Coordinator(1, 2, 3);
    readonly HashSet<ulong> _contact = [1, 2, 3];
    readonly MemberTable _table;

    public CoordinatorPolicyTests() => _table = Table(1, _coordinator.View);

    [Fact]
    public void Joiner_IsAdmittedOnceTheLeaderHearsIt()
    {
        _coordinator.Decide(c => c.Join = new JoinDecision { Node = Node(4) });
        Assert.Empty(Decide(0));
        _contact.Add(4);
        Assert.Equal([4UL], Assert.Single(Decide(1)).Admit.Uids);
    }

    [Fact]
    public void Unreachable_IsRemovedAfterTheGracePeriod_NotBefore()
    {
        Lose(3);
        Assert.Empty(Decide(0));
        Assert.Empty(Decide(29_999));
        var remove = Assert.Single(Decide(30_000)).Remove;
        Assert.Equal((3UL, 1UL), (remove.Uid, remove.Incarnation));
        Assert.Contains("node-1 missed it", remove.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void BackInBetween_StartsTheGracePeriodAnew()
    {
        Lose(3);
        Decide(0);
        Decide(20_000);
        _table.Merge(new Observation { Subject = 3, Incarnation = 1, Counter = 1, Observer = 3, Node = Node(3) });
        Assert.Empty(Decide(25_000));
        _table.Merge(Unreachable(3, 1, counter: 1));
        Decide(26_000);
        Assert.Empty(Decide(50_000));
        Assert.Single(Decide(56_000));
    }

    [Fact]
    public void G5_WithoutContactToMoreThanHalf_NobodyIsRemoved()
    {
        Lose(2);
        Lose(3);
        Decide(0);
        Assert.Empty(Decide(100_000));
        Assert.Contains("1 of 3 members", _policy.HeldBack!, StringComparison.Ordinal);
        Assert.Empty(CoordinatorPolicy.Join(Node(9, address: "n2:4050"), _coordinator.View, _table.Snapshot, u => _contact.Contains(u.Value)).Join.Replaces);
    }

    [Fact]
    public void G5_VotersMajorityOnASmallerSide_RemovesNobody()
    {
        // Seven members, voters 1 to 3; the leader's side is 1, 2, 3: a quorum of the group, but not more than half of all.
        var uids = Enumerable.Range(1, 7).Select(i => (ulong)i).ToArray();
        var coordinator = Coordinator(uids);
        var table = Table(1, coordinator.View);
        foreach (var uid in uids[3..]) table.Merge(Unreachable(uid, 1));
        _policy.Decide(0, coordinator.View, table.Snapshot, u => u.Value <= 3);
        Assert.Empty(_policy.Decide(100_000, coordinator.View, table.Snapshot, u => u.Value <= 3));
        Assert.NotEmpty(_policy.Decide(100_001, coordinator.View, table.Snapshot, u => u.Value <= 4));
    }

    [Fact]
    public void MassLoss_IsOneEvent()
    {
        var uids = Enumerable.Range(1, 7).Select(i => (ulong)i).ToArray();
        var coordinator = Coordinator(uids);
        var table = Table(1, coordinator.View);
        table.Merge(Unreachable(7, 1));
        _policy.Decide(0, coordinator.View, table.Snapshot, _ => true);
        table.Merge(Unreachable(6, 1));
        Assert.Empty(_policy.Decide(29_000, coordinator.View, table.Snapshot, _ => true));
        Assert.Empty(_policy.Decide(31_000, coordinator.View, table.Snapshot, _ => true)); // 7 is due, but the picture has just changed
        Assert.Single(_policy.Decide(34_000, coordinator.View, table.Snapshot, _ => true));
    }

    [Fact]
    public void Restarted_IsUpdated_AndLeavingIsRemoved()
    {
        _table.Merge(new Observation { Subject = 2, Incarnation = 2, Observer = 2, Node = Node(2, 2) });
        Assert.Equal(2UL, Assert.Single(Decide(0)).Update.Incarnation);
        _coordinator.Decide(c => c.Update = Node(2, 2));
        _coordinator.Decide(c => c.Leave = new LeaveDecision { Uid = 2 });
        Assert.Equal(2UL, Assert.Single(Decide(1)).Remove.Uid);
    }

    [Fact]
    public void NodeThatLostItsDisk_ReplacesOnlyWhoIsUnreachable()
    {
        Assert.Empty(Join(Node(9, address: "n3:4050")).Replaces);
        Lose(3);
        Assert.Equal([3UL], Join(Node(9, address: "n3:4050")).Replaces);
        Assert.Equal([3UL], Join(Node(9, address: "elsewhere:1", name: "node-3")).Replaces);
        Assert.Empty(Join(Node(9, address: "elsewhere:1")).Replaces);
    }

    [Fact]
    public void RemovedVoter_IsReplacedByAMemberThatIsUpAndInContact()
    {
        Assert.Null(Voters());
        Add(4);
        Assert.Null(Voters()); // three of four vote already
        Remove(2);
        _contact.Remove(4);
        Assert.Null(Voters());
        _contact.Add(4);
        Assert.Equal([1UL, 3UL, 4UL], Voters()!.Uids);
    }

    [Fact]
    public void RemovedVoterWithoutSuccessor_StaysOnTheList()
    {
        Remove(2); // two of three votes are needed either way
        Assert.Null(Voters());
    }

    [Fact]
    public void FiveMembers_GetFiveVoters_AllAtOnceOrNotYet()
    {
        Add(4);
        Add(5);
        _contact.Remove(5);
        Assert.Null(Voters()); // four would bear no more losses than three
        _contact.Add(5);
        Assert.Equal([1UL, 2UL, 3UL, 4UL, 5UL], Voters()!.Uids);
    }

    [Fact]
    public void Voters_AreStandingMembers_AndAtMostFive()
    {
        Assert.Equal(ErrorCode.NotAMember, Name(9).Error);
        Assert.Equal(ErrorCode.InvalidArgument, Name().Error);
        Assert.Equal(ErrorCode.InvalidArgument, Name(1, 2, 3, 4, 5, 6).Error);
        Assert.False(Name(3, 2, 1).Changed);
        Assert.True(Name(1, 2).Changed);
        Assert.Equal([1UL, 2UL], _coordinator.View.CoordinatorVoters);
        Remove(3);
        Assert.Equal(ErrorCode.NotAMember, Name(3).Error);
    }

    CoordinatorResult Name(params ulong[] voters) => _coordinator.Decide(c => c.Voters = new VotersDecision { Uids = { voters } });

    VotersDecision? Voters()
    {
        _table.ApplySnapshot(_coordinator.View);
        return CoordinatorPolicy.Voters(_coordinator.View, _table.Snapshot, u => _contact.Contains(u.Value))?.Voters;
    }

    void Add(ulong uid)
    {
        _coordinator.Decide(c => c.Join = new JoinDecision { Node = Node(uid) });
        _coordinator.Decide(c => c.Admit = new AdmitDecision { Uids = { uid } });
        _contact.Add(uid);
    }

    void Remove(ulong uid) => Assert.True(_coordinator.Decide(c => c.Remove = new RemoveDecision { Uid = uid, Incarnation = 1, Reason = "gone" }).Ok);

    JoinDecision Join(NodeInfo node) => CoordinatorPolicy.Join(node, _coordinator.View, _table.Snapshot, u => _contact.Contains(u.Value)).Join;

    void Lose(ulong uid)
    {
        _table.Merge(Unreachable(uid, 1));
        _contact.Remove(uid);
    }

    IReadOnlyList<CoordinatorCommand> Decide(long nowMs)
    {
        _table.ApplySnapshot(_coordinator.View);
        return _policy.Decide(nowMs, _coordinator.View, _table.Snapshot, u => _contact.Contains(u.Value));
    }
}
