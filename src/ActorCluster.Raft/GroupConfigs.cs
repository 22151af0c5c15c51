using ActorCluster.Protocol;
using ActorCluster.Protocol.Raft;

namespace ActorCluster.Raft;

/// <summary>
/// The algebra of configurations: every change of voters goes through a joint configuration (paper, section 6), every new voter
/// is a learner first (thesis, section 4.2.1). Lists are kept in the order of the uids, so that equal configurations are equal bytes.
/// </summary>
static class GroupConfigs
{
    /// <summary>Voters and learners together, of one configuration.</summary>
    public const int MaxMembers = 31;

    /// <summary>A configuration that is not joint.</summary>
    /// <exception cref="ArgumentException">No voters, a node twice, or more than <see cref="MaxMembers"/>.</exception>
    public static GroupConfig Of(IEnumerable<NodeUid> voters, IEnumerable<NodeUid> learners)
    {
        var config = new GroupConfig();
        config.Voters.AddRange(voters.Order().Select(v => v.Value));
        config.Learners.AddRange(learners.Order().Select(l => l.Value));
        if (config.Voters.Count == 0) throw new ArgumentException("a group needs at least one voter", nameof(voters));
        var members = config.Voters.Concat(config.Learners).ToList();
        if (members.Count > MaxMembers) throw new ArgumentException($"a group has at most {MaxMembers} members, not {members.Count}", nameof(voters));
        if (members.Contains(0)) throw new ArgumentException("0 is not a node uid", nameof(voters));
        if (members.Distinct().Count() != members.Count) throw new ArgumentException("a node is named twice", nameof(voters));
        return config;
    }

    /// <summary>The same, in the order of the uids: whoever created the group may have named its members in another.</summary>
    public static GroupConfig Sorted(GroupConfig config) => new()
    {
        Voters = { config.Voters.Order() },
        OutgoingVoters = { config.OutgoingVoters.Order() },
        Learners = { config.Learners.Order() },
        LearnersNext = { config.LearnersNext.Order() },
    };

    public static bool IsJoint(this GroupConfig config) => config.OutgoingVoters.Count > 0;

    public static GroupConfig ParseFrom(Entry entry)
    {
        Invariant.Check(entry.Kind == EntryKind.Config, $"entry {entry.Index} is a {entry.Kind}, not a configuration");
        return GroupConfig.Parser.ParseFrom(entry.Payload);
    }

    /// <summary>
    /// The next configuration on the way from one to another, or null when the way is at its end. Voters change in one
    /// joint step only, and those that are new must be learners before.
    /// </summary>
    public static GroupConfig? NextOnTheWay(GroupConfig current, GroupConfig target)
    {
        if (current.IsJoint()) return LeaveJoint(current);
        if (current.Equals(target)) return null;
        var members = current.Voters.Concat(current.Learners);
        if (!target.Voters.All(members.Contains)) return WithLearners(current, target);
        return current.Voters.Equals(target.Voters) ? target.Clone() : EnterJoint(current, target);
    }

    static GroupConfig WithLearners(GroupConfig current, GroupConfig target)
    {
        var config = new GroupConfig { Voters = { current.Voters } };
        config.Learners.AddRange(current.Learners.Union(target.Voters).Union(target.Learners).Except(current.Voters).Order());
        return config;
    }

    static GroupConfig EnterJoint(GroupConfig current, GroupConfig target)
    {
        var config = new GroupConfig { Voters = { target.Voters }, OutgoingVoters = { current.Voters } };
        config.Learners.AddRange(target.Learners.Except(current.Voters));
        config.LearnersNext.AddRange(target.Learners.Intersect(current.Voters));
        return config;
    }

    static GroupConfig LeaveJoint(GroupConfig joint)
    {
        var config = new GroupConfig { Voters = { joint.Voters } };
        config.Learners.AddRange(joint.Learners.Union(joint.LearnersNext).Order());
        return config;
    }
}
