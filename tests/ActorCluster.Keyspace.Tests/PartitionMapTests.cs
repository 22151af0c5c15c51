using ActorCluster.Protocol;
using ActorCluster.Protocol.Keyspace;
using ActorCluster.Protocol.Membership;
using Google.Protobuf;

namespace ActorCluster.Keyspace.Tests;

public class PartitionMapTests
{
    static NodeUid[] Nodes(int count) => [.. Enumerable.Range(1, count).Select(i => new NodeUid((ulong)i * 0x1111))];

    [Theory]
    [InlineData(16, 3, 3)]
    [InlineData(16, 3, 5)]
    [InlineData(1, 3, 3)]
    [InlineData(7, 2, 4)]
    [InlineData(16, 3, 1)]
    public void The_first_map_covers_the_hash_space_and_spreads_replicas_and_leaders_evenly(int partitions, int factor, int nodes)
    {
        var map = PartitionMapView.Of(PartitionMapView.BuildFirst(partitions, factor, Nodes(nodes)));

        Assert.Equal(1ul, map.Version);
        Assert.Equal(partitions, map.Partitions.Count);
        Assert.All(map.Partitions, p => Assert.Equal(Math.Min(factor, nodes), p.Replicas.Distinct().Count()));
        var sizes = map.Partitions.Select((p, i) => (i + 1 < partitions ? map.Partitions[i + 1].FirstHash : UInt128.One << 64) - p.FirstHash).ToArray();
        Assert.True(sizes.Max() - sizes.Min() <= 1, "ranges of equal size");

        var leads = Nodes(nodes).Select(n => map.Partitions.Count(p => p.PreferredLeader == n)).ToArray();
        Assert.True(leads.Max() - leads.Min() <= 1, $"leaders per node: {string.Join(' ', leads)}");
        var replicas = Nodes(nodes).Select(n => map.Partitions.Count(p => p.HasReplica(n))).ToArray();
        Assert.True(replicas.Max() - replicas.Min() <= Math.Min(factor, nodes), $"replicas per node: {string.Join(' ', replicas)}");
    }

    [Fact]
    public void A_hash_is_found_in_the_range_that_holds_it_at_every_border()
    {
        var map = PartitionMapView.Of(PartitionMapView.BuildFirst(7, 1, Nodes(1)));
        Assert.Equal(0u, map.Find(0).Id);
        Assert.Equal(6u, map.Find(ulong.MaxValue).Id);
        for (var i = 1; i < 7; i++)
        {
            Assert.Equal((uint)i, map.Find(map.Partitions[i].FirstHash).Id);
            Assert.Equal((uint)i - 1, map.Find(map.Partitions[i].FirstHash - 1).Id);
        }

        Assert.Same(map.Find(StableHash.Of("user:42")), map.Find("user:42"));
        Assert.Same(map.Partitions[3], map.ByGroup(new GroupId(GroupId.FirstPartition + 3)));
        Assert.Null(map.ById(7));
    }

    [Fact]
    public void Keys_spread_over_the_partitions()
    {
        var map = PartitionMapView.Of(PartitionMapView.BuildFirst(16, 1, Nodes(1)));
        var counts = new int[16];
        for (var i = 0; i < 16_000; i++) counts[map.Find($"key-{i}").Id]++;
        Assert.All(counts, c => Assert.InRange(c, 800, 1200));
    }

    [Fact]
    public void Arguments_out_of_range_are_named()
    {
        Assert.Contains("partitions", Assert.Throws<ArgumentOutOfRangeException>(() => PartitionMapView.BuildFirst(0, 3, Nodes(3))).Message, StringComparison.Ordinal);
        Assert.Contains("16384", Assert.Throws<ArgumentOutOfRangeException>(() => PartitionMapView.BuildFirst(16_385, 3, Nodes(3))).Message, StringComparison.Ordinal);
        Assert.Contains("replication", Assert.Throws<ArgumentOutOfRangeException>(() => PartitionMapView.BuildFirst(1, 0, Nodes(3))).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => PartitionMapView.BuildFirst(1, 1, []));
    }

    public static TheoryData<string, Action<PartitionMap>> Damages => new()
    {
        { "version", m => m.Version = 0 },
        { "replication factor", m => m.ReplicationFactor = 0 },
        { "0 partitions", m => m.Partitions.Clear() },
        { "hash 0", m => m.Partitions[0].FirstHash = 1 },
        { "range", m => m.Partitions[2].FirstHash = m.Partitions[1].FirstHash },
        { "id is used twice", m => m.Partitions[2].Id = 1 },
        { "group 1001 is used twice", m => m.Partitions[2].Group = 1001 },
        { "group 1 is below", m => m.Partitions[2].Group = 1 },
        { "generation", m => m.Partitions[2].Generation = 0 },
        { "no replicas", m => m.Partitions[2].Replicas.Clear() },
        { "node 0", m => m.Partitions[2].Replicas[0] = 0 },
        { "twice", m => m.Partitions[2].Replicas[0] = m.Partitions[2].Replicas[1] },
    };

    [Theory]
    [MemberData(nameof(Damages))]
    public void A_damaged_map_is_refused_with_the_reason(string reason, Action<PartitionMap> damage)
    {
        var map = PartitionMapView.BuildFirst(4, 3, Nodes(3));
        Assert.Null(PartitionMapView.Validate(map));
        damage(map);
        Assert.Contains(reason, PartitionMapView.Validate(map), StringComparison.Ordinal);
        Assert.Contains(reason, Assert.Throws<InvalidDataException>(() => PartitionMapView.Of(map)).Message, StringComparison.Ordinal);
    }

    static PartitionMapPart FormedPart()
    {
        var part = new PartitionMapPart();
        var cluster = new FormedCluster { Partitions = 4, ReplicationFactor = 3 };
        cluster.Members.Add(Nodes(3).Select(n => new NodeInfo { Uid = n.Value }));
        part.Formed(cluster);
        return part;
    }

    [Fact]
    public void Forming_brings_the_first_map_into_force()
    {
        var part = FormedPart();
        Assert.Equal(PartitionMapView.BuildFirst(4, 3, Nodes(3)), part.Partitions);
        Assert.Equal(1ul, part.Current!.Version);
    }

    [Fact]
    public void A_map_is_replaced_only_by_its_successor()
    {
        var part = FormedPart();
        var next = part.Partitions!.Clone();
        next.Version = 2;
        next.Partitions[0].Generation = 2;

        var stale = part.Apply(new PartitionMapCommand { ExpectedVersion = 0, Map = next });
        Assert.Equal((OutcomeKind.NotExecuted, ErrorCode.Conflict, 1ul), (stale.Failure.Outcome, stale.Failure.Code, stale.Version));

        var gap = next.Clone();
        gap.Version = 3;
        Assert.Equal(ErrorCode.InvalidArgument, part.Apply(new PartitionMapCommand { ExpectedVersion = 1, Map = gap }).Failure.Code);

        Assert.Null(part.Apply(new PartitionMapCommand { ExpectedVersion = 1, Map = next }).Failure);
        Assert.Equal(2u, part.Current!.Partitions[0].Generation);
    }

    [Fact]
    public void A_group_id_is_never_used_again()
    {
        var part = FormedPart();
        var without = part.Partitions!.Clone();
        without.Version = 2;
        without.Partitions.RemoveAt(3);
        Assert.Null(part.Apply(new PartitionMapCommand { ExpectedVersion = 1, Map = without }).Failure);

        var again = without.Clone();
        again.Version = 3;
        again.Partitions.Add(new Partition { Id = 9, FirstHash = ulong.MaxValue - 5, Group = 1003, Generation = 1, Replicas = { 1 } });
        var restored = new PartitionMapPart();
        restored.Restore(part.Save());
        foreach (var p in new[] { part, restored })
            Assert.Contains("used before", p.Apply(new PartitionMapCommand { ExpectedVersion = 2, Map = again }).Failure.Message, StringComparison.Ordinal);

        again.Partitions[^1].Group = 1004;
        Assert.Null(restored.Apply(new PartitionMapCommand { ExpectedVersion = 2, Map = again }).Failure);
    }

    [Fact]
    public void A_state_that_is_none_is_refused() =>
        Assert.Throws<InvalidDataException>(() => new PartitionMapPart().Restore(ByteString.CopyFromUtf8("not a state")));
}
