using ActorCluster.Protocol.Membership;

namespace ActorCluster.Membership;

/// <summary>Orders ballots, and values by when they were accepted.</summary>
static class Ballots
{
    public static int Compare(FormingBallot? a, FormingBallot? b)
    {
        if (a is null || b is null) return (a is null ? 0 : 1) - (b is null ? 0 : 1);
        return a.Counter != b.Counter ? a.Counter.CompareTo(b.Counter) : a.Proposer.CompareTo(b.Proposer);
    }

    /// <summary>The one accepted later: in a higher round, then at a higher ballot.</summary>
    public static FormingAccepted? Later(FormingAccepted? a, FormingAccepted? b)
    {
        if (a is null || b is null) return a ?? b;
        if (a.Round != b.Round) return a.Round > b.Round ? a : b;
        return Compare(a.Ballot, b.Ballot) >= 0 ? a : b;
    }
}
