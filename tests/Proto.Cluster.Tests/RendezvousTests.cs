using Proto.Cluster.Placement;

namespace Proto.Cluster.Tests;

public sealed class RendezvousTests
{
    const int Identities = 100_000;

    /// <summary>Defect 7 of the original: its hottest of ten members owns 2 to 5 times its fair share.</summary>
    [Theory]
    [InlineData(3)]
    [InlineData(5)]
    [InlineData(10)]
    [InlineData(20)]
    [InlineData(50)]
    public void No_member_owns_more_than_its_fair_share_and_15_percent(int count)
    {
        foreach (var members in MemberSets(count))
        {
            var rendezvous = new Rendezvous(members);
            var owned = new int[count];
            for (var i = 0; i < Identities; i++) owned[rendezvous.OwnerOf(ClusterIdentity.Create($"user-{i}", "kind"))]++;

            var mean = Identities / (double)count;
            Assert.InRange(owned.Max() / mean, 1, 1.15);
            Assert.InRange(owned.Min() / mean, 0.85, 1);
        }
    }

    [Fact]
    public void A_member_that_leaves_moves_only_what_it_owned()
    {
        var members = MemberSets(5)[0];
        var before = new Rendezvous(members);
        var after = new Rendezvous([.. members.Where(member => member.Id != members[2].Id)]);
        for (var i = 0; i < 1000; i++)
        {
            var identity = ClusterIdentity.Create($"user-{i}", "kind");
            var owner = before.Members[before.OwnerOf(identity)];
            if (owner.Id != members[2].Id) Assert.Same(owner, after.Members[after.OwnerOf(identity)]);
        }
    }

    [Fact]
    public void Views_of_the_same_members_name_the_same_owners_in_whatever_order_they_were_told()
    {
        var members = MemberSets(7)[1];
        foreach (var member in members) member.Kinds.Add("kind");
        var (one, other) = (new PlacementView(members), new PlacementView(members.Reverse()));
        Assert.Equal(one.Hash, other.Hash);
        for (var i = 0; i < 1000; i++)
        {
            var identity = ClusterIdentity.Create($"user-{i}", "kind");
            Assert.Equal(one.HostOf(identity)!.Id, other.HostOf(identity)!.Id);
            Assert.Equal(one.DirectoryOf(identity)!.Id, other.DirectoryOf(identity)!.Id);
        }
    }

    /// <summary>Owners must be the same on nodes of different releases.</summary>
    [Fact]
    public void Owners_are_what_they_always_were()
    {
        var rendezvous = new Rendezvous(MemberSets(10)[0]);
        int[] owners = [.. Enumerable.Range(0, 16).Select(i => rendezvous.OwnerOf(ClusterIdentity.Create($"user-{i}", "kind")))];
        Assert.Equal("9,4,9,7,5,3,7,7,6,4,0,3,6,0,6,9", string.Join(',', owners));
    }

    /// <summary>Names that differ little, and ids as systems have them.</summary>
    static Member[][] MemberSets(int count) =>
    [
        [.. Enumerable.Range(0, count).Select(i => new Member { Id = $"member-{i}", Host = "127.0.0.1", Port = 1000 + i })],
        [.. Enumerable.Range(0, count).Select(i => new Member { Id = $"{i * 2654435761u:x8}{i * 40503u:x8}{i:x16}", Host = "10.0.0.1", Port = 1000 + i })],
        [.. Enumerable.Range(0, count).Select(i => new Member { Id = $"node-{(char)('a' + i % 26)}{i / 26}.example:8090", Host = "node", Port = 8090 })],
    ];
}
