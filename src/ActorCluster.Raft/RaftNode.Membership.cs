using ActorCluster.Protocol;
using ActorCluster.Protocol.Raft;
using Google.Protobuf;

namespace ActorCluster.Raft;

/// <summary>What came of a request to change the members of a group.</summary>
public enum MembershipChange
{
    /// <summary>Only the leader can begin a change; nothing happened.</summary>
    NotLeader,

    /// <summary>
    /// The leader works towards it: learners first, then a joint configuration, then the target. It forgets that when it stops
    /// leading: who wants the change asks the next leader again, which is harmless.
    /// </summary>
    UnderWay,

    /// <summary>The configuration is what was asked for, and committed.</summary>
    Done,
}

// Changes of the group's members: joint consensus (paper, section 6), learners first (thesis, section 4.2.1). The newest configuration
// in the log holds, committed or not. One change at a time, and none before the leader has committed in its term (faults E2).
public sealed partial class RaftNode
{
    readonly ConfigHistory _configs;

    /// <summary>Leader: what the members are to become; null when nothing is wanted.</summary>
    GroupConfig? _targetConfig;

    /// <summary>The newest configuration in the log: the one that holds.</summary>
    public GroupConfig Config => _configs.Current;

    /// <summary>The configuration after the entry at an index, which is committed: what a snapshot of the state there must carry.</summary>
    public GroupConfig ConfigAt(ulong index) => _configs.At(index);

    /// <summary>Asks for other members. May be asked again at any time; the last request counts.</summary>
    /// <param name="voters">Who is to vote.</param>
    /// <param name="learners">Who is to get the log without a vote.</param>
    /// <exception cref="ArgumentException">No voters, a node twice, or too many.</exception>
    public MembershipChange ChangeMembers(IReadOnlyCollection<NodeUid> voters, IReadOnlyCollection<NodeUid> learners)
    {
        var target = GroupConfigs.Of(voters, learners);
        if (_role != RaftRole.Leader) return MembershipChange.NotLeader;
        if (ConfigIsCommitted && Config.Equals(target))
        {
            _targetConfig = null;
            return MembershipChange.Done;
        }

        _targetConfig = target;
        AdvanceMembership();
        return MembershipChange.UnderWay;
    }

    /// <summary>
    /// Whether the group may need more of this replica than answers: it leads, it votes, if only in the half of a joint configuration that is
    /// on its way out, or nobody else may have the entry that leaves it out.
    /// </summary>
    public bool IsNeeded => _role == RaftRole.Leader || _members.SelfIsVoter || IsNeededToLeave;

    bool IsElectable => !IsSuspect && (_members.SelfIsVoter || IsNeededToLeave);

    /// <summary>
    /// Thesis, section 4.2.2: a replica whose newest configuration leaves it out must still stand for election while that is not
    /// committed. It may be the only one with the entry: nobody else could get its vote, and the voters left would wait for ever. Its
    /// own vote then counts for nothing.
    /// </summary>
    bool IsNeededToLeave => !ConfigIsCommitted && _configs.Previous is { } before && (before.Voters.Contains(Self.Value) || before.OutgoingVoters.Contains(Self.Value));

    bool ConfigIsCommitted => _configs.CurrentIndex <= _log.Committed;

    /// <summary>Leader: takes the next step of a change if everything that it needs is there.</summary>
    void AdvanceMembership()
    {
        if (_targetConfig is null && !Config.IsJoint()) return;

        // Invariant: one uncommitted configuration at a time, and only after an entry of this term: otherwise two leaders could
        // decide with majorities that do not meet (Ongaro, raft-dev 2015; faults E2).
        if (!ConfigIsCommitted || !_log.Matches(_log.Committed, _term) || !_transferee.IsNone) return;

        // A joint configuration is left without being asked: it costs two majorities for as long as it lasts.
        if (GroupConfigs.NextOnTheWay(Config, _targetConfig ?? Config) is not { } next)
        {
            _targetConfig = null;
            return;
        }

        if (next.IsJoint() && !CanDecide(next)) return;
        AppendToOwnLog(new Entry { Term = _term, Index = _log.LastIndex + 1, Kind = EntryKind.Config, Payload = next.ToByteString() });
    }

    /// <summary>
    /// Whether the new voters are there and hold about what the log holds. Without that the group could not commit anything until
    /// they do (faults E5).
    /// </summary>
    bool CanDecide(GroupConfig joint)
    {
        var active = 0;
        foreach (var uid in joint.Voters)
        {
            var member = _members.Find(new NodeUid(uid));
            Invariant.Check(member is not null, $"{new NodeUid(uid)} is to vote and was no learner before");
            if (member == _members.Self || member.HeardAtTick >= ActiveSince && member.Inquiry == 0) active++;
            if (!member.IsVoter && !member.HasCaughtUp) return false;
        }

        return active >= QuorumMath.Majority(joint.Voters.Count);
    }

    /// <summary>
    /// Thesis, section 4.2.1: a learner catches up in rounds, each to where the log ended when the round began. Once a round takes less
    /// than an election timeout, what is left cannot delay commits for longer than a lost leader would.
    /// </summary>
    void TrackCatchUp(Progress learner)
    {
        if (learner.IsVoter || learner.HasCaughtUp || learner.Match < learner.CatchUpTo) return;
        if (learner.CatchUpTo == 0 || _ticks - learner.CatchUpSinceTick > _config.ElectionTicks)
        {
            learner.CatchUpTo = _log.LastIndex;
            learner.CatchUpSinceTick = _ticks;
            if (learner.Match < learner.CatchUpTo) return;
        }

        learner.HasCaughtUp = true;
        AdvanceMembership();
    }

    /// <summary>The newest configuration changed: by an append, a truncation or a snapshot.</summary>
    void UseCurrentConfig()
    {
        var before = _members;
        _members = new GroupMembers(Config, before, _config);
        if (_role is RaftRole.Follower or RaftRole.Learner) _role = _members.SelfIsVoter ? RaftRole.Follower : RaftRole.Learner;
        if (_role != RaftRole.Leader) return;
        foreach (var member in _members.All)
        {
            if (before.Find(member.Uid) is null) member.ResetForLeader(_log.LastIndex, match: 0);
        }

        if (!_transferee.IsNone && _members.Find(_transferee) is not { IsVoter: true }) _transferee = NodeUid.None;
    }

    /// <summary>The leader committed something: perhaps the configuration that leaves it out (thesis, section 4.2.2).</summary>
    void AfterCommit()
    {
        if (ConfigIsCommitted && !_members.SelfIsVoter)
        {
            // The successor need not wait for its election timeout to notice.
            if (_members.MostUpToDateOther(ActiveSince) is { } successor) Send(NewMessage(successor.Uid, new TimeoutNow()));
            BecomeFollower(_term, NodeUid.None);
            return;
        }

        AdvanceMembership();
    }
}
