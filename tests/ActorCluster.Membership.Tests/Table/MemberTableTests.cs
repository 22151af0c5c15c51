using ActorCluster.Protocol.Membership;
using FsCheck;
using FsCheck.Fluent;
using static ActorCluster.Membership.Tests.Build;

namespace ActorCluster.Membership.Tests;

public class MemberTableTests
{
    [Fact]
    public void Delta_AboveAGap_AsksForTheRangeAndChangesNothing()
    {
        var coordinator = Coordinator(1, 2, 3);
        var table = Table(1, coordinator.View);
        var at = table.View;
        coordinator.Decide(c => c.Join = new JoinDecision { Node = Node(4) });
        var between = coordinator.View.View;
        coordinator.Decide(c => c.Join = new JoinDecision { Node = Node(5) });

        var late = CommittedViews.DeltaSince(coordinator.View, between);
        Assert.Equal(DeltaStatus.Missing, table.ApplyDelta(late));
        Assert.Equal(at, table.View);
        Assert.Equal(new MissingRange(at, between, coordinator.View.View), Assert.Single(table.DrainEvents()));

        Assert.Equal(DeltaStatus.Applied, table.ApplyDelta(CommittedViews.DeltaSince(coordinator.View, at)));
        Assert.NotNull(table.Find(Uid(4)));
        Assert.NotNull(table.Find(Uid(5)));
    }

    [Fact]
    public void Delta_OlderThanTheTable_IsAConflictEventAndChangesNothing()
    {
        var coordinator = Coordinator(1, 2, 3);
        var old = CommittedViews.DeltaSince(coordinator.View, 0);
        coordinator.Decide(c => c.Join = new JoinDecision { Node = Node(4) });
        var table = Table(1, coordinator.View);

        Assert.Equal(DeltaStatus.Stale, table.ApplyDelta(old));
        Assert.IsType<StaleDeltaRefused>(Assert.Single(table.DrainEvents()));
        Assert.NotNull(table.Find(Uid(4)));
    }

    [Fact]
    public void SameView_WithOtherContent_IsPublished()
    {
        var table = Table(1, Coordinator(1, 2, 3).View);
        Assert.True(table.CheckViewHash(table.View, table.ViewHash));
        Assert.False(table.CheckViewHash(table.View, table.ViewHash + 1));
        Assert.IsType<ViewConflict>(Assert.Single(table.DrainEvents()));
    }

    [Fact]
    public void OtherCluster_IsRefused()
    {
        var table = Table(1, Coordinator(1, 2, 3).View);
        Assert.Equal(DeltaStatus.ForeignCluster, table.ApplyDelta(new ViewDelta { ClusterId = "other", ToView = 99 }));
        Assert.IsType<ClusterMismatch>(Assert.Single(table.DrainEvents()));
    }

    [Fact]
    public void Tombstones_AreBounded_AndOldReadersStillConverge()
    {
        var coordinator = Coordinator(1, 2, 3);
        var reader = Table(1, coordinator.View);
        var follower = Table(2, coordinator.View);
        coordinator.Decide(c => c.Join = new JoinDecision { Node = Node(100) });
        reader.ApplyDelta(CommittedViews.DeltaSince(coordinator.View, reader.View)); // knows 100 as Joining, then sleeps
        for (ulong uid = 100; uid < 100 + CommittedViews.MaxTombstones + 20; uid++)
        {
            if (uid > 100) coordinator.Decide(c => c.Join = new JoinDecision { Node = Node(uid) });
            coordinator.Decide(c => c.Remove = new RemoveDecision { Uid = uid, Incarnation = 1, Reason = "test" });
            follower.ApplyDelta(CommittedViews.DeltaSince(coordinator.View, follower.View));
        }

        Assert.Equal(CommittedViews.MaxTombstones + 3, coordinator.View.Members.Count);
        Assert.Equal(DeltaStatus.Applied, reader.ApplyDelta(follower.DeltaSince(reader.View)));
        Assert.Null(reader.Find(Uid(100)));
        Assert.Equal(coordinator.View.View, reader.View);
        Assert.Equal(CommittedViews.Hash(coordinator.View), reader.ViewHash);
        Assert.Equal(follower.ViewHash, reader.ViewHash);
    }

    [Fact]
    public void Merge_IsCommutativeAssociativeAndIdempotent()
    {
        Prop.ForAll(ObservationArb(), ObservationArb(), ObservationArb(), (a, b, c) =>
        {
            var ab = Observations.Merge(a, b);
            return ab.Equals(Observations.Merge(b, a))
                && Observations.Merge(ab, c).Equals(Observations.Merge(a, Observations.Merge(b, c)))
                && Observations.Merge(a, a).Equals(a)
                && (ab.Equals(a) || ab.Equals(b));
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Tables_ThatGotTheSameObservationsInAnyOrder_AreEqual()
    {
        var view = Coordinator(1, 2, 3).View;
        Prop.ForAll(ObservationArb().Generator.ListOf().ToArbitrary(), Gen.Choose(0, int.MaxValue).ToArbitrary(), (observations, seed) =>
        {
            // A reader that is no member: it only merges.
            var one = Table(9, view);
            var other = Table(9, view);
            foreach (var o in observations) one.Merge(o);
            var random = new ActorCluster.Raft.Xoshiro256((ulong)seed);
            var shuffled = observations.OrderBy(_ => random.NextUInt64()).ToList();
            foreach (var o in shuffled.Concat(shuffled)) other.Merge(o);
            return Enumerable.Range(0, MemberTable.Ranges).All(r => one.RangeHash(r) == other.RangeHash(r))
                && one.Members.SequenceEqual(other.Members);
        }).QuickCheckThrowOnFailure();
    }

    static Arbitrary<Observation> ObservationArb() => (
        from subject in Gen.Choose(1, 3)
        from incarnation in Gen.Choose(1, 3)
        from counter in Gen.Choose(0, 2)
        from severity in Gen.Elements(Reachability.Reachable, Reachability.Suspected, Reachability.ObservedUnreachable)
        from observer in Gen.Choose(1, 3)
        from evidence in Gen.Elements("", "x", "y")
        from port in Gen.Choose(1, 2)
        select new Observation
        {
            Subject = (ulong)subject,
            Incarnation = (ulong)incarnation,
            Counter = (ulong)counter,
            Reachability = severity,
            Observer = (ulong)observer,
            Evidence = evidence,
            Node = Node((ulong)subject, (ulong)incarnation, address: $"h:{port}"),
        }).ToArbitrary();
}
