using System.Globalization;
using ActorCluster.Protocol;
using ActorCluster.Protocol.Membership;
using ActorCluster.Raft;

namespace ActorCluster.Membership;

/// <summary>Settings of the coordinator's decisions, in milliseconds of the leader's monotonic clock.</summary>
/// <param name="GraceMs">A member that is Unreachable for this long without a break is removed.</param>
/// <param name="StableMs">
/// Nobody is removed until the set of Unreachable members has not changed for this long: a loss of many at once (a switch,
/// a rack, a bad deployment) is one event, and half of it is no basis for decisions.
/// </param>
public sealed record CoordinatorPolicyOptions(long GraceMs = 30_000, long StableMs = 5_000);

/// <summary>
/// What the coordinator's leader proposes, from the committed view, what is observed, and time. Gossip detects, a quorum
/// decides: everything here is a proposal, and a removal also needs the leader to be in contact with more than half of all
/// standing members (guarantee G5). A new leader counts every grace period anew.
/// </summary>
public sealed class CoordinatorPolicy(CoordinatorPolicyOptions? options = null)
{
    /// <summary>More voters would make every decision slower and no loss more bearable.</summary>
    public const int MaxVoters = 5;

    readonly CoordinatorPolicyOptions _options = options ?? new CoordinatorPolicyOptions();
    readonly SortedDictionary<ulong, (ulong Incarnation, long Since)> _unreachable = [];
    long _unreachableChanged;

    /// <summary>This node became leader, or ceased to be: what was counted before is void.</summary>
    public void Reset(long nowMs)
    {
        _unreachable.Clear();
        _unreachableChanged = nowMs;
    }

    /// <summary>Why a removal that is due is not proposed, for people; null when nothing is held back.</summary>
    public string? HeldBack { get; private set; }

    /// <summary>
    /// The commands to propose now. Each is safe to propose again until it shows in the view.
    /// </summary>
    /// <param name="nowMs">Now.</param>
    /// <param name="view">The committed view as the leader has applied it.</param>
    /// <param name="table">Its member table, at that view or later.</param>
    /// <param name="inContact">Whether the leader itself heard from a member lately.</param>
    public IReadOnlyList<CoordinatorCommand> Decide(long nowMs, CommittedView view, MembershipSnapshot table, Func<NodeUid, bool> inContact)
    {
        HeldBack = null;
        if (view.View == 0) return [];
        var commands = new List<CoordinatorCommand>();
        Admit(view, table, inContact, commands);
        Update(view, table, commands);
        Remove(nowMs, view, table, inContact, commands);
        foreach (var command in commands) command.ClusterId = view.ClusterId;
        return commands;
    }

    /// <summary>
    /// The decision about a node that asks to join. A member that holds its address or name is replaced when it is observed
    /// as Unreachable, and then only under the conditions of a removal; otherwise the join is a conflict, which
    /// applying the command answers.
    /// </summary>
    public static CoordinatorCommand Join(NodeInfo node, CommittedView view, MembershipSnapshot table, Func<NodeUid, bool> inContact)
    {
        var join = new JoinDecision { Node = node };
        foreach (var member in view.Members)
        {
            if (member.State == MemberState.Removed || member.Node.Uid == node.Uid) continue;
            if (member.Node.Address != node.Address && member.Node.Name != node.Name) continue;
            var gone = table.Find(new NodeUid(member.Node.Uid)) is { } seen
                && (seen.State == MemberState.Unreachable || (seen.CommittedState == MemberState.Joining && !inContact(seen.Uid)));
            if (gone && HasContactMajority(view, table, inContact)) join.Replaces.Add(member.Node.Uid);
        }

        return new CoordinatorCommand { ClusterId = view.ClusterId, Join = join };
    }

    /// <summary>Whether the leader is in contact with more than half of all standing members, itself included.</summary>
    public static bool HasContactMajority(CommittedView view, MembershipSnapshot table, Func<NodeUid, bool> inContact)
    {
        var (contact, standing) = Count(view, table, inContact);
        return contact * 2 > standing;
    }

    /// <summary>
    /// Who is to vote in the coordinator group: five of five or more members, three of three or more, otherwise one. Who votes stays
    /// until it is removed; a removed voter is replaced by a member that is Up and in contact, and without one stays on the list
    /// unless the group then needs a vote less.
    /// </summary>
    /// <returns>The decision to propose, or null when the voters are as they should be.</returns>
    public static CoordinatorCommand? Voters(CommittedView view, MembershipSnapshot table, Func<NodeUid, bool> inContact)
    {
        if (view.View == 0) return null;
        var standing = view.Members.Where(m => m.State != MemberState.Removed).Select(m => m.Node.Uid).ToHashSet();
        var up = view.Members.Where(m => m.State == MemberState.Up).Select(m => new NodeUid(m.Node.Uid)).Order().ToList();
        var wanted = up.Count >= 5 ? MaxVoters : up.Count >= 3 ? 3 : 1;
        var voters = view.CoordinatorVoters.Where(standing.Contains).ToList();
        foreach (var uid in up)
        {
            if (voters.Count >= wanted) break;
            var isThere = uid == table.Self || inContact(uid) && table.Find(uid) is { State: MemberState.Up };
            if (isThere && !voters.Contains(uid.Value)) voters.Add(uid.Value);
        }

        if (voters.Count == 0 || voters.Count < wanted && voters.Count > view.CoordinatorVoters.Count) return null; // two votes are no better than one
        if (voters.Count < view.CoordinatorVoters.Count && QuorumMath.Majority(voters.Count) >= QuorumMath.Majority(view.CoordinatorVoters.Count)) return null;
        if (voters.Order().SequenceEqual(view.CoordinatorVoters.Order())) return null;
        return new CoordinatorCommand { ClusterId = view.ClusterId, Voters = new VotersDecision { Uids = { voters.Order() } } };
    }

    static (int Contact, int Standing) Count(CommittedView view, MembershipSnapshot table, Func<NodeUid, bool> inContact)
    {
        int contact = 0, standing = 0;
        foreach (var member in view.Members)
        {
            if (member.State == MemberState.Removed) continue;
            standing++;
            var uid = new NodeUid(member.Node.Uid);
            if (uid == table.Self || inContact(uid)) contact++;
        }

        return (contact, standing);
    }

    static void Admit(CommittedView view, MembershipSnapshot table, Func<NodeUid, bool> inContact, List<CoordinatorCommand> commands)
    {
        var admit = new AdmitDecision();
        foreach (var member in view.Members)
        {
            var uid = new NodeUid(member.Node.Uid);
            if (member.State == MemberState.Joining && (uid == table.Self || inContact(uid))) admit.Uids.Add(uid.Value);
        }

        if (admit.Uids.Count > 0) commands.Add(new CoordinatorCommand { Admit = admit });
    }

    static void Update(CommittedView view, MembershipSnapshot table, List<CoordinatorCommand> commands)
    {
        foreach (var member in view.Members)
        {
            if (member.State == MemberState.Removed) continue;
            if (table.Find(new NodeUid(member.Node.Uid)) is { } seen && seen.Incarnation > member.Node.Incarnation)
                commands.Add(new CoordinatorCommand { Update = seen.Node });
        }
    }

    void Remove(long nowMs, CommittedView view, MembershipSnapshot table, Func<NodeUid, bool> inContact, List<CoordinatorCommand> commands)
    {
        var unreachable = table.Members.Values.Where(m => m.State == MemberState.Unreachable).ToDictionary(m => m.Uid.Value);
        foreach (var back in _unreachable.Where(e => !unreachable.TryGetValue(e.Key, out var m) || m.Incarnation != e.Value.Incarnation).Select(e => e.Key).ToArray())
        {
            _unreachable.Remove(back);
            _unreachableChanged = nowMs;
        }

        foreach (var (uid, member) in unreachable)
        {
            if (_unreachable.ContainsKey(uid)) continue;
            _unreachable[uid] = (member.Incarnation, nowMs);
            _unreachableChanged = nowMs;
        }

        var (contact, standing) = Count(view, table, inContact);
        foreach (var record in view.Members)
        {
            // Who asked to leave and has been seen Leaving goes at once, reachable or not.
            var leaving = record.State == MemberState.Leaving;
            var gone = _unreachable.TryGetValue(record.Node.Uid, out var since);
            if (!leaving && (record.State != MemberState.Up || !gone || nowMs - since.Since < _options.GraceMs)) continue;
            if (contact * 2 <= standing)
            {
                HeldBack = $"{record.Node.Name} is not removed: the coordinator's leader is in contact with {contact} of {standing} members, which is not more than half";
                continue;
            }

            if (leaving)
            {
                commands.Add(RemoveCommand(record, "left"));
                continue;
            }

            if (nowMs - _unreachableChanged < _options.StableMs)
            {
                HeldBack = string.Create(CultureInfo.InvariantCulture, $"{record.Node.Name} is not removed yet: who is Unreachable changed {nowMs - _unreachableChanged} ms ago");
                continue;
            }

            if (since.Incarnation != record.Node.Incarnation) continue; // a newer process is known: its update comes first
            var evidence = unreachable[record.Node.Uid].Evidence;
            commands.Add(RemoveCommand(record, string.Create(CultureInfo.InvariantCulture, $"unreachable for {(nowMs - since.Since) / 1000} s: {evidence}")));
        }
    }

    static CoordinatorCommand RemoveCommand(MemberRecord record, string reason) => new()
    {
        Remove = new RemoveDecision { Uid = record.Node.Uid, Incarnation = record.Node.Incarnation, Reason = reason },
    };
}
