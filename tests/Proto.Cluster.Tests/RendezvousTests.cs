using Proto.Cluster.PartitionActivator;

namespace Proto.Cluster.Tests;

public sealed class RendezvousTests
{
    [Theory]
    [InlineData(3)]
    [InlineData(10)]
    [InlineData(20)]
    public void Members_own_fair_shares(int count)
    {
        var members = Members(count);
        var shares = Enumerable.Range(0, 20_000)
            .GroupBy(i => Rendezvous.OwnerOf(ClusterIdentity.Create($"user-{i}", "kind"), members)!.Id)
            .Select(owned => owned.Count() * count / 20_000.0)
            .ToList();

        Assert.Equal(count, shares.Count);
        Assert.InRange(shares.Max(), 1, 1.15);
        Assert.InRange(shares.Min(), 0.85, 1);
    }

    [Fact]
    public void A_member_that_leaves_moves_only_what_it_owned()
    {
        var members = Members(5);
        var without = members.Where(member => member.Id != "member-2").ToArray();
        for (var i = 0; i < 1000; i++)
        {
            var identity = ClusterIdentity.Create($"user-{i}", "kind");
            var before = Rendezvous.OwnerOf(identity, members)!;
            if (before.Id != "member-2") Assert.Same(before, Rendezvous.OwnerOf(identity, without));
        }
    }

    static Member[] Members(int count) =>
        [.. Enumerable.Range(0, count).Select(i => new Member { Id = $"member-{i}", Host = "127.0.0.1", Port = 1000 + i })];
}
