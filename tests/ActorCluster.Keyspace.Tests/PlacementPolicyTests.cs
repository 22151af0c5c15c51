using ActorCluster.Protocol;
using ActorCluster.Protocol.Keyspace;
using ActorCluster.Protocol.Membership;
using ActorCluster.Raft;

namespace ActorCluster.Keyspace.Tests;

public class PlacementPolicyTests
{
    [Fact]
    public void Nothing_changes_while_all_members_are_well_and_even()
    {
        var map = Map(partitions: 6, factor: 3, members: 3);
        Assert.Null(new PlacementPolicy().Plan(map, Standing(1, 2, 3)));
    }

    [Fact]
    public void Missing_replicas_are_added_when_nodes_join_a_few_partitions_at_a_time()
    {
        var map = Map(partitions: 6, factor: 3, members: 1);
        var plan = PartitionMapView.Of(new PlacementPolicy(new PlacementOptions(MaxChanges: 2)).Plan(map, Standing(1, 2, 3))!);
        Assert.Equal(map.Version + 1, plan.Version);
        var changed = plan.Partitions.Where(p => !p.IsSettled).ToList();
        Assert.Equal(2, changed.Count);
        Assert.All(changed, p => Assert.Equal((3, 1u), (p.Replicas.Count, p.ReplicasVersion)));
        Assert.All(changed, p => Assert.Equal([new NodeUid(1)], p.Holders));
    }

    [Fact]
    public void A_removed_member_is_replaced_and_stays_a_holder_until_that_is_done()
    {
        var map = Map(partitions: 3, factor: 3, members: 3);
        var plan = PartitionMapView.Of(new PlacementPolicy().Plan(map, Standing(1, 3, 4))!);
        Assert.All(plan.Partitions, p =>
        {
            Assert.False(p.HasReplica(new NodeUid(2)));
            Assert.True(p.HasReplica(new NodeUid(4)));
            Assert.True(p.MayHaveReplica(new NodeUid(2)));
        });
    }

    [Fact]
    public void New_replicas_go_only_to_nodes_that_are_up_and_reachable()
    {
        var map = Map(partitions: 3, factor: 3, members: 3);
        var standing = Standing(1, 3, 4);
        standing[new NodeUid(4)] = false;
        Assert.Null(new PlacementPolicy().Plan(map, standing));
    }

    /// <summary>Two of three replicas need both votes, whether the third is on the list or not; two of five need one vote less without the dead.</summary>
    [Fact]
    public void A_removed_member_without_successor_is_dropped_only_when_fewer_votes_are_needed_then()
    {
        Assert.Null(new PlacementPolicy().Plan(Map(partitions: 1, factor: 3, members: 3), Standing(1, 2)));
        var plan = PartitionMapView.Of(new PlacementPolicy().Plan(Map(partitions: 1, factor: 5, members: 5), Standing(1, 2, 3))!);
        Assert.Equal([new NodeUid(1), new NodeUid(2), new NodeUid(3)], plan.Partitions[0].Replicas);
    }

    [Fact]
    public void A_change_that_waits_for_a_node_that_is_gone_is_given_up_for_another()
    {
        var policy = new PlacementPolicy();
        var first = PartitionMapView.Of(policy.Plan(Map(partitions: 1, factor: 3, members: 3), Standing(1, 3, 4))!);
        var second = PartitionMapView.Of(policy.Plan(first, Standing(1, 3, 5))!);
        Assert.Equal([new NodeUid(1), new NodeUid(3), new NodeUid(5)], second.Partitions[0].Replicas.Order());
        Assert.Equal(2u, second.Partitions[0].ReplicasVersion);

        // 4 may have become a voter meanwhile.
        Assert.True(second.Partitions[0].MayHaveReplica(new NodeUid(2)) && second.Partitions[0].MayHaveReplica(new NodeUid(4)));
    }

    [Fact]
    public void A_report_about_an_older_change_settles_nothing()
    {
        var part = new PartitionMapPart();
        part.Formed(Formed(partitions: 1, factor: 3, members: 3));
        var policy = new PlacementPolicy();
        Apply(part, policy.Plan(part.Current!, Standing(1, 3, 4))!);
        Apply(part, policy.Plan(part.Current!, Standing(1, 3, 5))!);
        part.Apply(new PartitionMapCommand { Settled = new ReplicasSettled { Partition = 0, ReplicasVersion = 1 } });
        Assert.False(part.Current!.Partitions[0].IsSettled);
        part.Apply(new PartitionMapCommand { Settled = new ReplicasSettled { Partition = 0, ReplicasVersion = 2 } });
        Assert.True(part.Current!.Partitions[0].IsSettled);
        Assert.Equal(4ul, part.Current.Version);
        part.Apply(new PartitionMapCommand { Settled = new ReplicasSettled { Partition = 0, ReplicasVersion = 2 } });
        Assert.Equal(4ul, part.Current.Version);
    }

    /// <summary>Members come and go at random; planning and settling always ends with full, even groups on standing nodes.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Placement_converges_to_full_and_even_groups(ulong seed)
    {
        var random = new Xoshiro256(seed);
        var part = new PartitionMapPart();
        part.Formed(Formed(partitions: 32, factor: 3, members: 3));
        var policy = new PlacementPolicy();
        var standing = Standing(1, 2, 3);
        var next = 4ul;
        for (var round = 0; round < 60; round++)
        {
            if (standing.Count <= 3 || random.Chance(0.5)) standing[new NodeUid(next++)] = true;
            else standing.Remove(standing.Keys.ElementAt(random.Next(standing.Count)));

            // A few steps, not always enough to finish before the next event; at most 4 partitions in change, more only for what is stuck.
            for (var step = random.Next(40); step > 0; step--) Step(part, policy, standing, random);
        }

        for (var step = 0; step < 2000 && Step(part, policy, standing, random); step++)
        {
        }

        Assert.All(part.Current!.Partitions, p => Assert.True(p.IsSettled && p.Replicas.Count == 3 && p.Replicas.All(standing.ContainsKey)));
        var loads = standing.Keys.Select(n => part.Current!.Partitions.Count(p => p.HasReplica(n))).ToList();
        Assert.True(loads.Max() - loads.Min() <= 1, $"loads are {string.Join(", ", loads)}");
    }

    static bool Step(PartitionMapPart part, PlacementPolicy policy, IReadOnlyDictionary<NodeUid, bool> standing, Xoshiro256 random)
    {
        var open = part.Current!.Partitions.Where(p => !p.IsSettled).ToList();
        if (policy.Plan(part.Current, standing) is { } plan)
        {
            Apply(part, plan);
            return true;
        }

        if (open.Count == 0) return false;
        var settled = open[random.Next(open.Count)];
        part.Apply(new PartitionMapCommand { Settled = new ReplicasSettled { Partition = settled.Id, ReplicasVersion = settled.ReplicasVersion } });
        return true;
    }

    static void Apply(PartitionMapPart part, PartitionMap map) =>
        Assert.Null(part.Apply(new PartitionMapCommand { ExpectedVersion = part.Current!.Version, Map = map }).Failure);

    static PartitionMapView Map(int partitions, int factor, int members) =>
        PartitionMapView.Of(PartitionMapView.BuildFirst(partitions, factor, [.. Enumerable.Range(1, members).Select(m => new NodeUid((ulong)m))]));

    static FormedCluster Formed(uint partitions, uint factor, int members) => new()
    {
        Partitions = partitions,
        ReplicationFactor = factor,
        Members = { Enumerable.Range(1, members).Select(m => new NodeInfo { Uid = (ulong)m }) },
    };

    static SortedDictionary<NodeUid, bool> Standing(params ulong[] uids)
    {
        var standing = new SortedDictionary<NodeUid, bool>();
        foreach (var uid in uids) standing[new NodeUid(uid)] = true;
        return standing;
    }
}
