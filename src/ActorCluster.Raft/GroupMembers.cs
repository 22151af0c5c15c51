using ActorCluster.Protocol;
using ActorCluster.Protocol.Raft;

namespace ActorCluster.Raft;

/// <summary>
/// The members of a group and the leader's view of each: the one place that knows what a quorum is. In a joint configuration
/// (paper, section 6) a quorum is a majority of the voters and a majority of the outgoing voters. Members are kept in the order of
/// their uids, so that nothing depends on hash order.
/// </summary>
sealed class GroupMembers
{
    readonly Progress[] _members;
    readonly NodeUid[] _voters;
    readonly NodeUid[] _outgoing;
    readonly ulong[] _matches;

    /// <param name="config">Who is a member, and as what.</param>
    /// <param name="before">What was known until now: members that stay keep their progress. Null at the start.</param>
    /// <param name="limits">Constants of the group.</param>
    public GroupMembers(GroupConfig config, GroupMembers? before, RaftConfig limits)
    {
        _voters = [.. Uids(config.Voters)];
        _outgoing = [.. Uids(config.OutgoingVoters)];
        Invariant.Check(_voters.Length > 0, $"group {limits.Group} has no voters");
        _matches = new ulong[Math.Max(_voters.Length, _outgoing.Length)];
        _members =
        [
            .. _voters.Concat(_outgoing).Concat(Uids(config.Learners)).Distinct().Order()
                .Select(uid => before?.Find(uid) ?? new Progress(uid, new Inflights(limits.MaxInflightMessages, limits.MaxInflightBytes))),
        ];
        foreach (var member in _members)
        {
            member.IsIncoming = _voters.Contains(member.Uid);
            member.IsOutgoing = _outgoing.Contains(member.Uid);
        }

        Self = Find(limits.Self);
    }

    /// <summary>The voters; of a joint configuration the new ones.</summary>
    public IReadOnlyList<NodeUid> Voters => _voters;

    public ReadOnlySpan<Progress> All => _members;

    /// <summary>This replica, or null when the configuration does not name it.</summary>
    public Progress? Self { get; }

    public bool SelfIsVoter => Self is { IsVoter: true };

    /// <summary>Whether this replica alone is a quorum.</summary>
    public bool SelfIsQuorum => SelfIsVoter && IsQuorum(static (member, self) => member == self, Self);

    public Progress? Find(NodeUid uid)
    {
        foreach (var member in _members)
        {
            if (member.Uid == uid) return member;
        }

        return null;
    }

    /// <summary>The highest index that is durable on a quorum.</summary>
    public ulong CommittedIndex()
    {
        var committed = MajorityIndex(_voters.Length, static member => member.IsIncoming);
        if (_outgoing.Length > 0) committed = Math.Min(committed, MajorityIndex(_outgoing.Length, static member => member.IsOutgoing));
        Invariant.Check(IsQuorum(static (m, index) => m.CountedMatch >= index, committed), $"index {committed} is not on a quorum");
        return committed;
    }

    public void ClearVotes()
    {
        foreach (var member in _members) member.VoteGranted = null;
    }

    /// <summary>Won with a majority of each half, lost as soon as one half is lost.</summary>
    public VoteResult CountVotes()
    {
        var incoming = CountVotes(_voters.Length, static member => member.IsIncoming);
        if (_outgoing.Length == 0) return incoming;
        var outgoing = CountVotes(_outgoing.Length, static member => member.IsOutgoing);
        if (incoming == VoteResult.Lost || outgoing == VoteResult.Lost) return VoteResult.Lost;
        return incoming == VoteResult.Won ? outgoing : incoming;
    }

    /// <summary>Whether a quorum was heard at a tick or later; this replica hears itself.</summary>
    public bool IsQuorumActive(long sinceTick)
    {
        var self = Self;
        return IsQuorum((m, since) => m == self || m.HeardAtTick >= since, sinceTick);
    }

    /// <summary>Whether a quorum confirmed the leader for the reads up to a context; this replica confirms itself.</summary>
    public bool IsReadConfirmed(ulong context)
    {
        var self = Self;
        return IsQuorum((m, c) => m == self || m.ConfirmedReadContext >= c, context);
    }

    /// <summary>
    /// The voter other than this one, heard at a tick or later, whose log reaches farthest. One that stays a voter is preferred to one
    /// that is on its way out.
    /// </summary>
    public Progress? MostUpToDateOther(long sinceTick)
    {
        Progress? best = null;
        foreach (var member in _members)
        {
            if (member == Self || !member.IsVoter || member.HeardAtTick < sinceTick || member.Inquiry != 0) continue;
            if (best is null || (member.IsIncoming, member.Match).CompareTo((best.IsIncoming, best.Match)) > 0) best = member;
        }

        return best;
    }

    ulong MajorityIndex(int voters, Func<Progress, bool> isInHalf)
    {
        var count = 0;
        foreach (var member in _members)
        {
            if (isInHalf(member)) _matches[count++] = member.CountedMatch;
        }

        return QuorumMath.CommittedIndex(_matches.AsSpan(0, voters));
    }

    VoteResult CountVotes(int voters, Func<Progress, bool> isInHalf)
    {
        int granted = 0, rejected = 0;
        foreach (var member in _members)
        {
            if (!isInHalf(member)) continue;
            if (member.VoteGranted == true) granted++;
            if (member.VoteGranted == false) rejected++;
        }

        return QuorumMath.Tally(voters, granted, rejected);
    }

    bool IsQuorum<T>(Func<Progress, T, bool> test, T argument)
    {
        int incoming = 0, outgoing = 0;
        foreach (var member in _members)
        {
            if (!member.IsVoter || !test(member, argument)) continue;
            if (member.IsIncoming) incoming++;
            if (member.IsOutgoing) outgoing++;
        }

        return incoming >= QuorumMath.Majority(_voters.Length)
            && (_outgoing.Length == 0 || outgoing >= QuorumMath.Majority(_outgoing.Length));
    }

    static IEnumerable<NodeUid> Uids(IEnumerable<ulong> values) => values.Select(v => new NodeUid(v)).Distinct().Order();
}
