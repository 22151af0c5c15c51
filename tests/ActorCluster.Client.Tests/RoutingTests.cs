using ActorCluster.Client.Routing;
using ActorCluster.Protocol;
using ActorCluster.Protocol.Admin;
using ActorCluster.Protocol.Membership;

namespace ActorCluster.Client.Tests;

public class RoutingTests
{
    [Fact]
    public void An_identity_belongs_to_the_partition_whose_range_holds_its_hash()
    {
        var table = new PartitionTable(new Partitions
        {
            Version = 3,
            Partitions_ =
            {
                new PartitionInfo { Partition = new Partition { Id = 9, FirstHash = 1UL << 63 } },
                new PartitionInfo { Partition = new Partition { Id = 4, FirstHash = 0 } },
            },
        });

        foreach (var i in Enumerable.Range(0, 100))
        {
            var identity = $"word-{i}";
            Assert.Equal(StableHash.Of(identity) >> 63 == 0 ? 4U : 9U, table.Find(identity));
        }
    }

    [Fact]
    public void A_map_that_leaves_hashes_out_is_refused()
    {
        Assert.Throws<InvalidDataException>(() => new PartitionTable(new Partitions()));
        Assert.Throws<InvalidDataException>(() => new PartitionTable(new Partitions { Partitions_ = { new PartitionInfo { Partition = new Partition { FirstHash = 5 } } } }));
    }

    [Fact]
    public void Who_answered_is_asked_first_and_who_failed_last()
    {
        var directory = new MemberDirectory(["a:1", "b:1", "c:1", "a:1"]);
        Assert.Equal(["a:1", "b:1", "c:1"], directory.Candidates);
        directory.Failed("a:1");
        Assert.Equal(["b:1", "c:1", "a:1"], directory.Candidates);
        directory.Answered("c:1");
        Assert.Equal(["c:1", "b:1", "a:1"], directory.Candidates);
        directory.TurnToNext();
        Assert.Equal(["b:1", "a:1", "c:1"], directory.Candidates);
        directory.Answered("c:1");
        directory.Failed("nobody:1");
        Assert.Equal(["c:1", "b:1", "a:1"], directory.Candidates);
    }

    [Fact]
    public void Members_come_before_seeds_that_are_none_and_removed_ones_go()
    {
        var directory = new MemberDirectory(["seed:1", "b:1"]);
        directory.Learn(Cluster(("b:1", MemberState.Up), ("c:1", MemberState.Up), ("d:1", MemberState.Unreachable)));
        Assert.Equal(["b:1", "c:1", "seed:1"], directory.Candidates);
        directory.Learn(Cluster(("b:1", MemberState.Removed), ("c:1", MemberState.Up)));
        Assert.Equal(["c:1", "b:1", "seed:1"], directory.Candidates); // b is a seed: a last resort
        directory.Learn(new Members());
        Assert.Equal(3, directory.Candidates.Count);
    }

    [Fact]
    public void The_cache_is_bounded_and_forgets_what_was_not_used_for_longest()
    {
        var cache = new LruCache<string, int>(2);
        cache.Set("a", 1);
        cache.Set("b", 2);
        Assert.True(cache.TryGet("a", out _));
        cache.Set("c", 3);
        Assert.False(cache.TryGet("b", out _));
        Assert.Equal(2, cache.Count);

        cache.ReplaceIf("a", v => v == 99, _ => 5); // renewed meanwhile: stays
        Assert.True(cache.TryGet("a", out var a) && a == 1);
        cache.ReplaceIf("a", v => v == 1, _ => 5);
        Assert.True(cache.TryGet("a", out a) && a == 5);
        cache.ReplaceWhere(v => v == 5, _ => 6);
        Assert.True(cache.TryGet("a", out a) && a == 6);
        Assert.True(cache.TryGet("c", out var c) && c == 3);
    }

    static Members Cluster(params (string Address, MemberState State)[] members)
    {
        var all = new Members();
        foreach (var (address, state) in members) all.Members_.Add(new Member { Address = address, State = state });
        return all;
    }
}
