using ActorCluster.Protocol;
using ActorCluster.Protocol.Membership;
using static ActorCluster.Membership.Tests.Build;

namespace ActorCluster.Membership.Tests;

/// <summary>The scenarios of rows A09 to A12, B11 to B15 and B22.</summary>
public class MembershipScenarios
{
    [Fact]
    public void A09_B11_JoinWithoutConflict_GoesJoiningThenUp_AndTheSnapshotCarriesTheNewestView()
    {
        var coordinator = Coordinator(1, 2, 3);
        var table = Table(1, coordinator.View);

        var joined = coordinator.Decide(c => c.Join = new JoinDecision { Node = Node(4) });
        Assert.True(joined.Ok);
        table.ApplyDelta(CommittedViews.DeltaSince(coordinator.View, table.View));
        Assert.Equal(MemberState.Joining, table.Find(Uid(4))!.State);

        coordinator.Decide(c => c.Admit = new AdmitDecision { Uids = { 4 } });
        table.ApplyDelta(CommittedViews.DeltaSince(coordinator.View, table.View));
        Assert.Equal(MemberState.Up, table.Find(Uid(4))!.State);
        Assert.Equal(coordinator.View.View, table.View);

        var changes = table.DrainEvents().OfType<MemberStateChanged>().ToArray();
        Assert.Equal([MemberState.Joining, MemberState.Up], changes.Select(c => c.Current));
        Assert.Equal([MemberState.Unspecified, MemberState.Joining], changes.Select(c => c.Previous));

        // B15: who joins gets the latest table at handshake.
        var newcomer = Table(4, coordinator.View);
        Assert.Equal(table.View, newcomer.View);
        Assert.Equal(table.ViewHash, newcomer.ViewHash);
    }

    [Fact]
    public void A10_B14_SameAddressWithAnotherUid_IsRejectedAndRecorded()
    {
        var coordinator = Coordinator(1, 2, 3);
        var before = coordinator.View;

        var result = coordinator.Decide(c => c.Join = new JoinDecision { Node = Node(9, address: "n2:4050") });

        Assert.Equal(ErrorCode.Conflict, result.Error);
        var conflict = Assert.IsType<AuthorityConflict>(result.Refusal);
        Assert.Equal((Uid(2), Uid(9), "n2:4050"), (conflict.Existing, conflict.Requested, conflict.Address));
        Assert.Same(before, coordinator.View);
    }

    [Fact]
    public void A11_B12_Leave_GoesLeavingThenRemoved_AndStaysInTheTable()
    {
        var coordinator = Coordinator(1, 2, 3);
        var table = Table(1, coordinator.View);

        coordinator.Decide(c => c.Leave = new LeaveDecision { Uid = 3 });
        table.ApplyDelta(CommittedViews.DeltaSince(coordinator.View, table.View));
        coordinator.Decide(c => c.Remove = new RemoveDecision { Uid = 3, Incarnation = 1, Reason = "left" });
        table.ApplyDelta(CommittedViews.DeltaSince(coordinator.View, table.View));

        Assert.Equal([MemberState.Leaving, MemberState.Removed], table.DrainEvents().OfType<MemberStateChanged>().Select(c => c.Current));
        Assert.Equal("left", table.Find(Uid(3))!.Evidence);
        Assert.False(table.Snapshot.IsSendable("n3:4050"));
    }

    [Fact]
    public void A12_B22_ObservedUnreachable_IsNotSendable_UntilTheSubjectRefutes()
    {
        var coordinator = Coordinator(1, 2, 3);
        var table = Table(1, coordinator.View);
        var subject = Table(2, coordinator.View);

        Assert.True(table.Observe(Uid(2), 1, Reachability.ObservedUnreachable, "node-1 probed node-2: 3 of 3 missed"));
        Assert.Equal(MemberState.Unreachable, table.Find(Uid(2))!.State);
        Assert.False(table.Snapshot.IsSendable("n2:4050"));
        var change = Assert.Single(table.DrainEvents().OfType<MemberStateChanged>());
        Assert.Contains("3 of 3 missed", change.Evidence, StringComparison.Ordinal);

        subject.Merge(table.ObservationOf(Uid(2))!);
        Assert.Single(subject.DrainEvents().OfType<SelfRefuted>());
        Assert.True(table.Merge(subject.ObservationOf(Uid(2))!));
        Assert.Equal(MemberState.Up, table.Find(Uid(2))!.State);
        Assert.True(table.Snapshot.IsSendable("n2:4050"));
    }

    [Fact]
    public void RestartedNode_IsBackAtOnceUnderItsNewIncarnation()
    {
        var coordinator = Coordinator(1, 2, 3);
        var table = Table(1, coordinator.View);
        table.Observe(Uid(2), 1, Reachability.ObservedUnreachable, "gone");
        var restarted = Table(2, coordinator.View, incarnation: 2);

        table.Merge(restarted.ObservationOf(Uid(2))!);

        var member = table.Find(Uid(2))!;
        Assert.Equal((MemberState.Up, 2UL, "2-2"), (member.State, member.Incarnation, member.Node.SystemId));
        Assert.False(table.Observe(Uid(2), 1, Reachability.ObservedUnreachable, "late news of the old process"));
        Assert.Equal(MemberState.Up, table.Find(Uid(2))!.State);
    }

    [Fact]
    public void StoppingNode_IsUnreachableAtOnce_AndDoesNotRefute()
    {
        var coordinator = Coordinator(1, 2, 3);
        var table = Table(1, coordinator.View);
        var stopping = Table(2, coordinator.View);
        stopping.AnnounceStopping();
        table.Merge(stopping.ObservationOf(Uid(2))!);

        Assert.Equal(MemberState.Unreachable, table.Find(Uid(2))!.State);
        Assert.Equal("stopping", table.Find(Uid(2))!.Evidence);
        Assert.False(stopping.Merge(table.ObservationOf(Uid(2))!));
    }

    [Fact]
    public void RemovedMember_IsNeitherObservedNorRevivedByGossip()
    {
        var coordinator = Coordinator(1, 2, 3);
        coordinator.Decide(c => c.Remove = new RemoveDecision { Uid = 2, Incarnation = 1, Reason = "unreachable for 30 s" });
        var table = Table(1, coordinator.View);

        Assert.False(table.Merge(Unreachable(2, 3)));
        Assert.False(table.Merge(new Observation { Subject = 2, Incarnation = 5, Node = Node(2, 5) }));
        Assert.Equal(MemberState.Removed, table.Find(Uid(2))!.State);
    }

    [Fact]
    public void NodeWhoseDataDirectoryIsAnOldCopy_LearnsIt()
    {
        var coordinator = Coordinator(1, 2, 3);
        var table = Table(2, coordinator.View);
        table.Merge(new Observation { Subject = 2, Incarnation = 7, Observer = 2, Node = Node(2, 7) });
        var old = Assert.Single(table.DrainEvents().OfType<OwnIncarnationIsOld>());
        Assert.Equal((1UL, 7UL), (old.Own, old.Known));
    }
}
