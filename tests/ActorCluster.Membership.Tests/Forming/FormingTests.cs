using ActorCluster.Protocol.Membership;
using ActorCluster.Raft;

namespace ActorCluster.Membership.Tests;

public class FormingTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 1)]
    [InlineData(3, 3)]
    [InlineData(5, 5)]
    public void ExpectedNodesInContact_FormOneCluster(int expect, int voters)
    {
        var world = new FormingWorld(7, expect, expect);
        foreach (var node in world.Nodes) world.Start(node);
        RunUntil(world, () => world.Nodes.All(n => n.ClusterId.Length > 0));

        var cluster = world.Reports[0].Cluster;
        Assert.All(world.Reports, r => Assert.Equal(cluster, r.Cluster));
        Assert.Equal(expect, cluster.Members.Count);
        Assert.Equal(voters, cluster.CoordinatorVoters.Count);
        Assert.Equal(world.Nodes.Select(n => n.Uid).Order(), cluster.Members.Select(m => m.Uid).Order());
    }

    [Fact]
    public void LateNode_IsWaitedForByName()
    {
        var world = new FormingWorld(7, 3, 3);
        world.Start(world.Nodes[0]);
        world.Start(world.Nodes[1]);
        for (var i = 0; i < 2000; i++) world.Step();

        Assert.Empty(world.Reports);
        var status = world.Nodes[0].Running!.Status();
        Assert.Equal(FormingPhase.Waiting, status.Phase);
        Assert.Equal(["n2:1"], status.Missing);
        Assert.Equal(2, status.InContact.Count);

        world.Start(world.Nodes[2]);
        RunUntil(world, () => world.Reports.Count == 3);
    }

    [Fact]
    public void DifferentExpect_IsRefusedNamingBothValues()
    {
        var a = Blank(1, "a:1", expect: 3);
        var b = Blank(2, "b:1", expect: 5);
        var hello = a.Tick(0).OfType<SendForming>().Single(s => s.Address == "b:1").Message;
        var refused = Assert.Single(b.Receive(hello, 0).OfType<FormingRefused>());
        Assert.Contains("--expect 3", refused.Message, StringComparison.Ordinal);
        Assert.Contains("--expect 5", refused.Message, StringComparison.Ordinal);
        Assert.Contains(refused.Message, b.Status().Problems);
    }

    [Fact]
    public void NodesOfDifferentClusters_RefuseEachOtherNamingBoth()
    {
        var a = Blank(1, "a:1", expect: 3, clusterId: "aaaa");
        var hello = new FormingMessage
        {
            From = new NodeInfo { Uid = 2, Name = "b", Address = "b:1" },
            Hello = new FormingHello { ClusterId = "bbbb", Answer = true },
        };
        var refused = Assert.Single(a.Receive(hello, 0).OfType<FormingRefused>());
        Assert.Contains("'aaaa'", refused.Message, StringComparison.Ordinal);
        Assert.Contains("'bbbb'", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void BlankNodeThatReachesACluster_JoinsAndNeverForms()
    {
        var world = new FormingWorld(11, 4, 3);
        foreach (var node in world.Nodes[..3]) world.Start(node);
        RunUntil(world, () => world.Reports.Count == 3);

        world.Start(world.Nodes[3]);
        RunUntil(world, () => world.Nodes[3].ClusterId.Length > 0);
        Assert.Equal(world.Reports[0].Cluster.ClusterId, world.Nodes[3].ClusterId);
        Assert.Equal(3, world.Reports.Count);
    }

    [Fact]
    public void TwoWipedNodesOfThree_NeverFormASecondCluster()
    {
        var knewNothing = 0;
        for (ulong seed = 0; seed < 120; seed++)
        {
            var world = new FormingWorld(seed, 3, 3) { Loss = seed % 2 == 0 ? 0.4 : 0 };
            foreach (var node in world.Nodes) world.Start(node);
            // Any moment of the first agreement, from "one knows it" to "all know it"; whoever stays may know nothing of it.
            RunUntil(world, () => world.Reports.Count >= 1 + (int)(seed % 3));
            var first = world.Reports[0].Cluster.ClusterId;
            var stays = seed % 2 == 0
                ? world.Nodes.LastOrDefault(n => n.Disk?.Accepted is null && n.Disk?.Formed is null) ?? world.Nodes[0]
                : world.Nodes[(int)(seed / 2 % 3)];
            if (stays.Disk?.Accepted is null && stays.Disk?.Formed is null) knewNothing++;
            world.DropMessages();
            world.Loss = 0;
            foreach (var node in world.Nodes.Where(n => n != stays).ToArray())
            {
                world.Wipe(node);
                world.Start(node);
            }

            for (var i = 0; i < 3000; i++) world.Step();
            Assert.All(world.Reports, r => Assert.Equal(first, r.Cluster.ClusterId));
        }

        Assert.True(knewNothing > 10, $"the dangerous case, a survivor that had accepted nothing, came up {knewNothing} times");
    }

    [Fact]
    public void WipedBeforeAnythingIsFormed_TheOthersFormWithTheNewcomer()
    {
        for (ulong seed = 0; seed < 40; seed++)
        {
            var world = new FormingWorld(seed, 3, 3);
            foreach (var node in world.Nodes) world.Start(node);
            for (var i = (ulong)0; i < 20 + (seed * 3); i++) world.Step();
            world.Wipe(world.Nodes[0]);
            world.Start(world.Nodes[0]);
            RunUntil(world, () => world.Nodes.All(n => n.ClusterId.Length > 0));
            Assert.Single(world.Reports.Select(r => r.Cluster.ClusterId).Distinct());
        }
    }

    /// <summary>
    /// Random schedules with loss, repetition, reordering, crashes at any moment and wiped disks. A second cluster id may
    /// appear only when no node that took part in forming the first is left with its disk.
    /// </summary>
    [Theory]
    [InlineData(2, 2)]
    [InlineData(3, 3)]
    [InlineData(4, 3)]
    [InlineData(5, 3)]
    [InlineData(5, 5)]
    public void RandomCrashesAndWipes_NeverGiveTwoClusterIds(int nodes, int expect)
    {
        var formedRuns = 0;
        for (ulong seed = 1; seed <= 300; seed++)
        {
            var world = new FormingWorld(seed, nodes, expect);
            var random = new Xoshiro256(seed * 7919);
            world.Loss = random.Next(3) * 0.1;
            var wipes = random.Next(expect + 1);
            foreach (var node in world.Nodes) world.Start(node);
            for (var i = 0; i < 1000 * nodes; i++)
            {
                world.Step();
                if (random.Chance(0.01))
                {
                    var node = world.Nodes[random.Next(nodes)];
                    if (node.Running is null) world.Start(node);
                    else if (wipes > 0 && random.Chance(0.3))
                    {
                        world.Wipe(node);
                        wipes--;
                    }
                    else world.Crash(node);
                }

                Check(world, seed);
            }

            if (world.Reports.Count > 0) formedRuns++;
        }

        Assert.True(formedRuns > 100, $"only {formedRuns} of 300 runs formed anything: the schedules are too hostile to show something");
    }

    /// <summary>After any mix of crashes (no wipes) everybody comes back, and the cluster forms.</summary>
    [Fact]
    public void CrashesInTheMiddle_BlockNothing()
    {
        for (ulong seed = 1; seed <= 100; seed++)
        {
            var world = new FormingWorld(seed, 3, 3);
            var random = new Xoshiro256(seed * 31);
            foreach (var node in world.Nodes) world.Start(node);
            for (var i = 0; i < 400; i++)
            {
                world.Step();
                if (!random.Chance(0.03)) continue;
                var node = world.Nodes[random.Next(3)];
                if (node.Running is null) world.Start(node);
                else world.Crash(node);
            }

            foreach (var node in world.Nodes.Where(n => n.Running is null)) world.Start(node);
            RunUntil(world, () => world.Nodes.All(n => n.ClusterId.Length > 0));
            Assert.Single(world.Nodes.Select(n => n.ClusterId).Distinct());
        }
    }

    static void Check(FormingWorld world, ulong seed)
    {
        foreach (var (uid, cluster) in world.Reports)
        {
            var second = world.Reports.FirstOrDefault(r => r.Cluster.ClusterId != cluster.ClusterId).Cluster;
            if (second is null) return;
            Assert.True(cluster.Members.All(m => world.Wiped.Contains(m.Uid)) || second.Members.All(m => world.Wiped.Contains(m.Uid)),
                $"seed {seed}: {cluster.ClusterId} (reported by {uid}) and {second.ClusterId}");
        }
    }

    static void RunUntil(FormingWorld world, Func<bool> done)
    {
        for (var i = 0; i < 200_000; i++)
        {
            if (done()) return;
            world.Step();
        }

        Assert.Fail("did not get there in 200000 steps: " + string.Join("; ", world.Nodes.Select(n => $"{n.Address} {n.Running?.Status()}")));
    }

    static FormingNode Blank(ulong uid, string address, uint expect, string clusterId = "") => new(
        new NodeInfo { Uid = uid, Incarnation = 1, Name = address, Address = address },
        new FormingSettings { Expect = expect, Partitions = 16, ReplicationFactor = 3 },
        ["a:1", "b:1"], clusterId, null, new Xoshiro256(uid));
}
