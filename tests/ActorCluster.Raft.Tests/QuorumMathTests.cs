namespace ActorCluster.Raft.Tests;

/// <summary>Faults B1, B2: majorities, checked against counting by hand for every case of 1 to 7 voters.</summary>
public sealed class QuorumMathTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 2)]
    [InlineData(3, 2)]
    [InlineData(4, 3)]
    [InlineData(5, 3)]
    [InlineData(6, 4)]
    [InlineData(7, 4)]
    public void B2_A_majority_is_more_than_half(int voters, int majority) => Assert.Equal(majority, QuorumMath.Majority(voters));

    [Fact]
    public void B2_Any_two_majorities_share_a_voter()
    {
        for (var voters = 1; voters <= 7; voters++)
        {
            var majorities = Enumerable.Range(0, 1 << voters).Where(set => int.PopCount(set) >= QuorumMath.Majority(voters)).ToArray();
            Assert.NotEmpty(majorities);
            foreach (var one in majorities) Assert.All(majorities, other => Assert.NotEqual(0, one & other));
        }
    }

    [Fact]
    public void B1_The_committed_index_is_the_highest_that_a_majority_has_reached_in_any_order()
    {
        Span<ulong> all = stackalloc ulong[7];
        for (var voters = 1; voters <= 7; voters++)
        {
            var matches = all[..voters];

            // Every vector over {0..3}, so every order of every multiset.
            for (var code = 0; code < 1 << (2 * voters); code++)
            {
                for (var i = 0; i < voters; i++) matches[i] = (ulong)((code >> (2 * i)) & 3);

                ulong byHand = 0;
                for (ulong index = 1; index <= 3; index++)
                {
                    var reached = 0;
                    foreach (var match in matches) reached += match >= index ? 1 : 0;
                    if (reached > voters / 2) byHand = index;
                }

                Assert.Equal(byHand, QuorumMath.CommittedIndex(matches));
            }
        }
    }

    [Fact]
    public void B2_An_election_is_won_by_a_majority_and_lost_when_none_is_left()
    {
        for (var voters = 1; voters <= 7; voters++)
        {
            for (var granted = 0; granted <= voters; granted++)
            {
                for (var rejected = 0; granted + rejected <= voters; rejected++)
                {
                    var open = voters - granted - rejected;
                    var expected = 2 * granted > voters ? VoteResult.Won : 2 * (granted + open) > voters ? VoteResult.Pending : VoteResult.Lost;
                    Assert.Equal(expected, QuorumMath.Tally(voters, granted, rejected));
                }
            }
        }
    }
}
