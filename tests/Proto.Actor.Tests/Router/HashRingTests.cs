using Proto.Router;

namespace Proto.Actor.Tests.Router;

public sealed class HashRingTests
{
    /// <summary>Computed with an independent implementation; peers of other builds must agree on them.</summary>
    [Theory]
    [InlineData("", 0xa8a71066)]
    [InlineData("a", 0x4c6f6723)]
    [InlineData("ab", 0x2f6c1130)]
    [InlineData("abc", 0x2a57c006)]
    [InlineData("abcd", 0x329f594a)]
    [InlineData("user-1", 0x7c83b83e)]
    [InlineData("Ünïcode", 0x9df1e31f)]
    public void The_hash_is_that_of_other_machines(string text, uint hash) => Assert.Equal(hash, MurmurHash2.Hash(text));

    [Fact]
    public void A_long_text_is_hashed_the_same_way() => Assert.Equal(0x3c56ef2au, MurmurHash2.Hash(new string('x', 300)));

    [Fact]
    public void The_order_of_the_nodes_does_not_matter_even_where_points_collide()
    {
        string[] nodes = ["c", "a", "b"];
        var ring = new HashRing<string>(nodes, node => node, _ => 7, 3);
        var reversed = new HashRing<string>(nodes.Reverse(), node => node, _ => 7, 3);

        Assert.Equal("a", ring.GetNode("key"));
        Assert.Equal("a", reversed.GetNode("key"));
    }

    [Fact]
    public void A_node_that_comes_takes_keys_only_for_itself_and_about_its_share()
    {
        var keys = Enumerable.Range(0, 4000).Select(i => $"user-{i}").ToList();
        var members = Enumerable.Range(0, 9).Select(i => $"10.0.0.{i}:8090").ToList();
        var before = new HashRing<string>(members, node => node, MurmurHash2.Hash, 50);
        var after = new HashRing<string>([.. members, "10.0.0.9:8090"], node => node, MurmurHash2.Hash, 50);

        var moved = keys.Where(key => before.GetNode(key) != after.GetNode(key)).ToList();

        Assert.All(moved, key => Assert.Equal("10.0.0.9:8090", after.GetNode(key)));
        Assert.InRange(moved.Count, 200, 800); // fair: 400
    }

    [Fact]
    public void An_empty_ring_has_no_node() =>
        Assert.Throws<InvalidOperationException>(() => new HashRing<string>([], node => node, MurmurHash2.Hash, 50).GetNode("key"));
}
