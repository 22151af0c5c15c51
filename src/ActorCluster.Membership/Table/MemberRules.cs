using ActorCluster.Protocol;
using ActorCluster.Protocol.Membership;

namespace ActorCluster.Membership;

/// <summary>
/// Which decisions are legal. Asked where a command is taken and again where it is applied; never by a merge, because
/// what others agreed on is not refused but learnt.
/// </summary>
public static class MemberRules
{
    /// <summary>
    /// The committed life of a member: (none) → Joining → Up → Leaving → Removed, with Removed reachable from every
    /// standing state (a node that is Unreachable for too long), and Removed → Joining under a newer incarnation.
    /// </summary>
    public static bool IsLegal(MemberState from, MemberState to) => (from, to) switch
    {
        (MemberState.Unspecified, MemberState.Joining) => true,
        (MemberState.Removed, MemberState.Joining) => true,
        (MemberState.Joining, MemberState.Up) => true,
        (MemberState.Up, MemberState.Leaving) => true,
        (MemberState.Joining or MemberState.Up or MemberState.Leaving, MemberState.Removed) => true,
        _ => false,
    };

    /// <summary>
    /// Who stands in the way of a node that asks to join: another uid on its address or under its name that is not
    /// Removed and not replaced with it (rows A10, B14).
    /// </summary>
    public static AuthorityConflict? FindConflict(IEnumerable<MemberRecord> members, NodeInfo node, IReadOnlyCollection<ulong> replaces)
    {
        foreach (var member in members)
        {
            if (member.State == MemberState.Removed || member.Node.Uid == node.Uid || replaces.Contains(member.Node.Uid)) continue;
            var sameAddress = string.Equals(member.Node.Address, node.Address, StringComparison.Ordinal);
            var sameName = string.Equals(member.Node.Name, node.Name, StringComparison.Ordinal);
            if (!sameAddress && !sameName) continue;
            var what = sameAddress ? $"address {node.Address}" : $"name '{node.Name}'";
            return new AuthorityConflict(node.Address, node.Name, new NodeUid(member.Node.Uid), new NodeUid(node.Uid),
                $"{what} belongs to member {new NodeUid(member.Node.Uid)} ({member.Node.Name} at {member.Node.Address}), which is not Removed and not Unreachable");
        }

        return null;
    }
}
