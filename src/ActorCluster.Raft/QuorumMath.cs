namespace ActorCluster.Raft;

/// <summary>What a count of votes says.</summary>
public enum VoteResult
{
    Pending,
    Won,
    Lost,
}

/// <summary>
/// The arithmetic of majorities. Invariant: any two majorities of the same voters share a voter (paper, section 5.2);
/// faults B1 and B2 are what happens when a count is off by one or is taken over a vector out of order.
/// </summary>
public static class QuorumMath
{
    /// <summary>How many of <paramref name="voters"/> are a majority.</summary>
    public static int Majority(int voters) => voters / 2 + 1;

    /// <summary>
    /// The highest index that a majority has reached, given each voter's match index. Sorts <paramref name="matches"/> in
    /// place: no order of the input matters.
    /// </summary>
    public static ulong CommittedIndex(Span<ulong> matches)
    {
        Invariant.Check(matches.Length > 0, "a group has at least one voter");
        matches.Sort();
        return matches[matches.Length - Majority(matches.Length)];
    }

    /// <summary>Won once a majority granted, lost once a majority can no longer be reached.</summary>
    public static VoteResult Tally(int voters, int granted, int rejected)
    {
        var majority = Majority(voters);
        if (granted >= majority) return VoteResult.Won;
        return voters - rejected < majority ? VoteResult.Lost : VoteResult.Pending;
    }
}
