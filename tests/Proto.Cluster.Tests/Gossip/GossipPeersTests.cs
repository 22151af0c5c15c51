using Proto.Cluster.Gossip;

namespace Proto.Cluster.Tests.Gossip;

public sealed class GossipPeersTests
{
    static readonly Func<string, bool> Always = _ => true;

    [Fact]
    public void While_nobody_lacks_anything_no_round_is_due()
    {
        var peers = Peers("a", "b", "c");

        Assert.False(peers.AnyFree(_ => false));
        Assert.Empty(peers.ChooseForRound(3, _ => false));
    }

    [Fact]
    public void A_round_tells_as_many_as_the_fanout_and_only_those_who_lack_something()
    {
        var peers = Peers("a", "b", "c", "d", "e");

        var chosen = peers.ChooseForRound(2, id => id != "a");

        Assert.Equal(2, chosen.Distinct().Count());
        Assert.DoesNotContain("a", chosen);
    }

    [Fact]
    public void Chance_comes_from_the_generator_alone()
    {
        Assert.Equal(["a", "b"], Peers(() => 0, "a", "b", "c", "d").ChooseForRound(2, Always));
        Assert.Equal(["d", "a"], Peers(() => 0.999, "a", "b", "c", "d").ChooseForRound(2, Always));
    }

    [Fact]
    public void One_that_has_not_answered_is_not_asked_again()
    {
        var peers = Peers("a");
        Assert.Equal(["a"], peers.ChooseForRound(3, Always));

        Assert.Empty(peers.ChooseForRound(3, Always));
        Assert.False(peers.AnyFree(Always));

        peers.Answered("a");
        Assert.Equal(["a"], peers.ChooseForRound(3, Always));
    }

    [Fact]
    public void One_that_failed_is_asked_less_and_less_often_but_never_given_up()
    {
        var peers = Peers("a");
        var rounds = new List<int>();
        for (var round = 0; round < 60; round++)
        {
            Assert.True(peers.AnyFree(Always));
            if (peers.ChooseForRound(3, Always).Count == 0) continue;
            rounds.Add(round);
            peers.Failed("a");
        }

        Assert.Equal([0, 2, 5, 10, 19, 36, 53], rounds);
        peers.Heard("a");
        Assert.Equal(["a"], peers.ChooseForRound(3, Always));
    }

    [Fact]
    public void It_takes_a_majority_of_all_to_be_removed()
    {
        var peers = Peers("a", "b", "c", "d");

        Assert.False(peers.Rejected("a"));
        Assert.False(peers.Rejected("b"));
        Assert.True(peers.Rejected("c"));
    }

    [Fact]
    public void One_that_answers_again_does_not_count_as_rejecting()
    {
        var peers = Peers("a", "b");

        Assert.False(peers.Rejected("a"));
        peers.Answered("a");
        Assert.False(peers.Rejected("b"));
    }

    static GossipPeers Peers(params string[] ids) => Peers(() => 0.5, ids);

    static GossipPeers Peers(Func<double> random, params string[] ids)
    {
        var peers = new GossipPeers(random);
        peers.SetMembers(ids.ToHashSet(StringComparer.Ordinal));
        return peers;
    }
}
