using ActorCluster.Protocol.Membership;
using static ActorCluster.Membership.Tests.Build;

namespace ActorCluster.Membership.Tests;

/// <summary>What a whole cluster sees of cuts, losses, deaths and changes, in virtual time.</summary>
public class VirtualClusterTests
{
    const int Seeds = 5;

    [Theory]
    [InlineData(3, 0.0, 1_000)]
    [InlineData(3, 0.3, 3_000)]
    [InlineData(20, 0.0, 2_000)]
    [InlineData(20, 0.3, 6_000)]
    public void B71_AChangeReachesEverybody(int nodes, double loss, long withinMs)
    {
        for (ulong seed = 1; seed <= Seeds; seed++)
        {
            var cluster = new VirtualCluster(seed, nodes) { Loss = loss };
            cluster.RunFor(100);
            cluster.Commit(1, c => c.Update = Node(2, 5));
            cluster.RunFor(withinMs);
            Assert.All(cluster.Nodes, n => Assert.Equal(cluster.Coordinator.View.View, n.Table.View));
            if (loss == 0) Assert.Equal(GossipState.Confirmed, cluster[1].Gossip.State);
        }
    }

    [Theory]
    [InlineData(3)]
    [InlineData(5)]
    [InlineData(20)]
    public void DeadNode_IsUnreachableForEverybody_AndBackAfterItsRestart(int nodes)
    {
        for (ulong seed = 1; seed <= Seeds; seed++)
        {
            var cluster = new VirtualCluster(seed, nodes);
            cluster.RunFor(2000);
            cluster.Kill(2);
            cluster.RunFor(nodes > 9 ? 6000 : 2500);
            Assert.All(cluster.Nodes, n => Assert.Equal(MemberState.Unreachable, n.StateOf(2)));
            Assert.All(cluster.Nodes, n => Assert.Single(n.Changes)); // nobody else was ever in doubt

            cluster.Start(2, 2);
            cluster.RunFor(2000);
            Assert.All(cluster.Nodes, n => Assert.Equal(MemberState.Up, n.StateOf(2)));
        }
    }

    /// <summary>Faults of part 2: one node that sees nobody must not talk the others into its view.</summary>
    [Fact]
    public void IsolatedNode_AfterTheCutHeals_MarksNobodyForTheOthers()
    {
        for (ulong seed = 1; seed <= Seeds; seed++)
        {
            var cluster = new VirtualCluster(seed, 3);
            cluster.RunFor(2000);
            cluster.Connected = (from, to) => from != 3 && to != 3;
            cluster.RunFor(5000);
            Assert.Equal(MemberState.Unreachable, cluster[1].StateOf(3));
            Assert.Equal(MemberState.Unreachable, cluster[3].StateOf(1));
            Assert.Equal(MemberState.Unreachable, cluster[3].StateOf(2));

            cluster.Connected = (_, _) => true;
            cluster.RunFor(2000);
            Assert.All(cluster.Nodes, n => Assert.All(n.Table.Members, m => Assert.Equal(MemberState.Up, m.State)));
            Assert.All(cluster[1].Changes, c => Assert.Equal(Uid(3), c.Change.Uid));
            Assert.True(cluster[2].Changes.All(c => c.Change.Uid == Uid(3)), $"seed {seed}: " + string.Join("\n", cluster[2].Changes));
        }
    }

    [Fact]
    public void LinkCutBetweenTwoNodes_IsSeenThroughTheThird()
    {
        for (ulong seed = 1; seed <= Seeds; seed++)
        {
            var cluster = new VirtualCluster(seed, 3);
            cluster.RunFor(2000);
            cluster.Connected = (from, to) => !(from == 1 && to == 2) && !(from == 2 && to == 1);
            cluster.RunFor(10_000);
            Assert.All(cluster.Nodes, n => Assert.Empty(n.Changes));
        }
    }

    [Fact]
    public void LossyNetwork_MarksNobody()
    {
        for (ulong seed = 1; seed <= Seeds; seed++)
        {
            var cluster = new VirtualCluster(seed, 5) { Loss = 0.1 };
            cluster.RunFor(20_000);
            Assert.All(cluster.Nodes, n => Assert.All(n.Table.Members, m => Assert.Equal(MemberState.Up, m.State)));
        }
    }
}
