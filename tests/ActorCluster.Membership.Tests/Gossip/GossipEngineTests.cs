using ActorCluster.Protocol.Membership;
using static ActorCluster.Membership.Tests.Build;

namespace ActorCluster.Membership.Tests;

/// <summary>Row A13 with D11 to D18, and what a whole exchange does.</summary>
public class GossipEngineTests
{
    [Fact]
    public void A13_BothPeersAck_Confirmed()
    {
        var (coordinator, engine, table) = Start(1);
        Change(coordinator, table);
        engine.Disseminate(0);
        Assert.Equal(GossipState.Diffusing, engine.State);
        Assert.Contains(engine.DrainEvents(), e => e is Disseminated { Peers: 2 } d && d.View == table.View);

        Assert.Null(engine.HandleAck(Uid(2), table.View, 10));
        Assert.Null(engine.HandleAck(Uid(2), table.View, 12)); // a repeated ack counts once
        Assert.Null(engine.HandleAck(Uid(3), table.View - 1, 14)); // a late ack of an older view counts for nothing
        Assert.Equal(GossipState.Confirmed, engine.HandleAck(Uid(3), table.View, 20));
        Assert.Equal(new Confirmed(table.View, 20), Assert.Single(engine.DrainEvents()));
    }

    [Fact]
    public void A13_StaleDelta_IsAConflict_TableUntouched_ThenReconciled()
    {
        var (coordinator, engine, table) = Start(1);
        var old = CommittedViews.DeltaSince(coordinator.View, 0);
        Change(coordinator, table);
        var view = table.View;

        Assert.Equal(DeltaStatus.Stale, engine.ApplyIncoming(old, Uid(2), 0));
        Assert.Equal(GossipState.Reconciling, engine.State);
        Assert.Equal(new ConflictDetected(Uid(2), view, old.ToView), Assert.Single(engine.DrainEvents()));
        Assert.Equal(view, table.View);

        engine.HandleAck(Uid(2), view, 5);
        Assert.Equal(GossipState.Confirmed, engine.HandleAck(Uid(3), view, 6));
    }

    [Fact]
    public void A13_MissingRange_IsAskedForAndResent()
    {
        var (coordinator, ahead, aheadTable) = Start(1);
        var (_, behind, behindTable) = Start(2, coordinator);
        Change(coordinator, aheadTable);
        var between = aheadTable.View;
        Change(coordinator, aheadTable);
        ahead.HandleAck(Uid(2), between, 0); // believes that node 2 has the view in between

        var push = ahead.Disseminate(0).OfType<SendGossip>().Single(s => s.Message.To == 2).Message;
        Assert.Equal(between, push.Delta.FromView);
        var answer = Assert.Single(behind.Receive(push, 1).OfType<SendGossip>()).Message;
        Assert.Equal(GossipState.Reconciling, behind.State);
        Assert.Contains(behind.DrainEvents(), e => e is ReconcilingRequested { Peer: var p } r && p == Uid(1) && r.To == aheadTable.View);

        var resent = Assert.Single(ahead.Receive(answer, 2).OfType<SendGossip>()).Message;
        Assert.Equal(behindTable.View, resent.Delta.FromView);
        behind.Receive(resent, 3);
        Assert.Equal(aheadTable.View, behindTable.View);
        Assert.Equal(aheadTable.ViewHash, behindTable.ViewHash);
    }

    [Fact]
    public void Exchange_BringsBothSidesToTheSameObservations()
    {
        var (coordinator, one, oneTable) = Start(1);
        var (_, two, twoTable) = Start(2, coordinator);
        oneTable.Merge(Unreachable(3, 1));
        twoTable.SetSelf(Node(2, 4)); // node 2 has restarted

        var hop0 = one.Contact("n2:4050", Uid(2)).OfType<SendGossip>().Single().Message;
        var hop1 = two.Receive(hop0, 0).OfType<SendGossip>().Single().Message;
        var hop2 = one.Receive(hop1, 0).OfType<SendGossip>().Single().Message;
        Assert.Empty(two.Receive(hop2, 0));

        for (var r = 0; r < MemberTable.Ranges; r++) Assert.Equal(oneTable.RangeHash(r), twoTable.RangeHash(r));
        Assert.Equal(4UL, oneTable.Find(Uid(2))!.Incarnation);
        Assert.Equal(MemberState.Unreachable, twoTable.Find(Uid(3))!.State);
    }

    [Fact]
    public void BadNewsOfAPeerHeardAMomentAgo_IsPutToThePeerFirst()
    {
        var (_, engine, table) = Start(1);
        engine.Heard(Uid(3), 1, 1000);
        var gossip = new ActorCluster.Protocol.Membership.Gossip { Sender = Node(2), To = 1, ClusterId = Cluster, View = table.View, ViewHash = table.ViewHash, Hop = 2 };
        gossip.Observations.Add(Unreachable(3, 2));

        var question = Assert.Single(engine.Receive(gossip, 1500).OfType<SendGossip>());
        Assert.Equal(("n3:4050", 3UL), (question.Address, question.Message.To));
        Assert.Equal(2UL, Assert.Single(question.Message.Observations).Observer);
        Assert.Equal(MemberState.Up, table.Find(Uid(3))!.State);

        // Nothing more is heard of it: then the next exchange that says so is believed.
        engine.Receive(gossip, 2500);
        Assert.Equal(MemberState.Unreachable, table.Find(Uid(3))!.State);
    }

    [Fact]
    public void RemovedNode_LearnsItFromTheAnswer()
    {
        var (coordinator, engine, table) = Start(1);
        var (_, removed, removedTable) = Start(3, coordinator);
        coordinator.Decide(c => c.Remove = new RemoveDecision { Uid = 3, Incarnation = 1, Reason = "unreachable for 30 s" });
        table.ApplySnapshot(coordinator.View);
        engine.Disseminate(0);

        removedTable.Observe(Uid(1), 1, Reachability.ObservedUnreachable, "the removed node's view of things");
        var hello = removed.Contact("n1:4050", Uid(1)).OfType<SendGossip>().Single().Message;
        var answer = engine.Receive(hello, 0).OfType<SendGossip>().Single().Message;
        removed.Receive(answer, 0);
        Assert.Equal(MemberState.Removed, removedTable.Find(Uid(3))!.State);
        Assert.Equal(MemberState.Up, table.Find(Uid(1))!.State);
    }

    [Fact]
    public void MessageForAnotherUid_OrOfAnotherCluster_ChangesNothing()
    {
        var (_, engine, table) = Start(1);
        var gossip = new ActorCluster.Protocol.Membership.Gossip { Sender = Node(2), To = 77, ClusterId = Cluster, View = 99 };
        Assert.Empty(engine.Receive(gossip, 0));
        gossip.To = 1;
        gossip.ClusterId = "other";
        gossip.Delta = new ViewDelta { ClusterId = "other", ToView = 99 };
        engine.Receive(gossip, 0);
        Assert.Contains(engine.DrainEvents(), e => e is ClusterMismatch { RemoteClusterId: "other" });
        Assert.NotEqual(99UL, table.View);
    }

    static (CoordinatorStateMachine, GossipEngine, MemberTable) Start(ulong self, CoordinatorStateMachine? coordinator = null)
    {
        coordinator ??= Coordinator(1, 2, 3);
        var table = Table(self, coordinator.View);
        var engine = new GossipEngine(table, Random(self));
        engine.SetSelf(Node(self));
        return (coordinator, engine, table);
    }

    static void Change(CoordinatorStateMachine coordinator, MemberTable table)
    {
        coordinator.Decide(c => c.Update = Node(2, coordinator.View.View + 10));
        table.ApplySnapshot(coordinator.View);
    }
}
