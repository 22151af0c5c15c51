using ActorCluster.Protocol;
using ActorCluster.Protocol.Raft;

namespace ActorCluster.Raft;

/// <summary>
/// The members of a group and the leader's view of each: the one place that knows what a quorum is (joint consensus will
/// change this class only). Members are kept in the order of their uids, so that nothing depends on hash order.
/// </summary>
sealed class GroupMembers
{
    readonly Progress[] _members;
    readonly NodeUid[] _voters;

    public GroupMembers(GroupConfig config, RaftConfig limits)
    {
        Config = config.Clone();
        _voters = [.. config.Voters.Select(v => new NodeUid(v)).Distinct().Order()];
        Invariant.Check(_voters.Length > 0, $"group {limits.Group} has no voters");
        _members =
        [
            .. _voters.Concat(config.Learners.Select(l => new NodeUid(l)).Except(_voters)).Order()
                .Select(uid => new Progress(uid, _voters.Contains(uid), new Inflights(limits.MaxInflightMessages, limits.MaxInflightBytes))),
        ];
        Self = Find(limits.Self);
    }

    public GroupConfig Config { get; }
    public IReadOnlyList<NodeUid> Voters => _voters;
    public ReadOnlySpan<Progress> All => _members;

    /// <summary>This replica, or null when the configuration does not name it.</summary>
    public Progress? Self { get; }

    public bool SelfIsVoter => Self is { IsVoter: true };

    /// <summary>Whether this replica alone is a quorum.</summary>
    public bool SelfIsQuorum => SelfIsVoter && _voters.Length == 1;

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
        Span<ulong> matches = stackalloc ulong[_voters.Length];
        var count = 0;
        foreach (var member in _members)
        {
            if (member.IsVoter) matches[count++] = member.Match;
        }

        var committed = QuorumMath.CommittedIndex(matches);
        Invariant.Check(IsQuorum(static (m, index) => m.Match >= index, committed), $"index {committed} is not on a quorum");
        return committed;
    }

    public void ClearVotes()
    {
        foreach (var member in _members) member.VoteGranted = null;
    }

    public VoteResult CountVotes()
    {
        int granted = 0, rejected = 0;
        foreach (var member in _members)
        {
            if (!member.IsVoter) continue;
            if (member.VoteGranted == true) granted++;
            if (member.VoteGranted == false) rejected++;
        }

        return QuorumMath.Tally(_voters.Length, granted, rejected);
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

    /// <summary>The voter other than this one, heard at a tick or later, whose log reaches farthest.</summary>
    public Progress? MostUpToDateOther(long sinceTick)
    {
        Progress? best = null;
        foreach (var member in _members)
        {
            if (member == Self || !member.IsVoter || member.HeardAtTick < sinceTick) continue;
            if (best is null || member.Match > best.Match) best = member;
        }

        return best;
    }

    bool IsQuorum<T>(Func<Progress, T, bool> test, T argument)
    {
        var count = 0;
        foreach (var member in _members)
        {
            if (member.IsVoter && test(member, argument)) count++;
        }

        return count >= QuorumMath.Majority(_voters.Length);
    }
}
