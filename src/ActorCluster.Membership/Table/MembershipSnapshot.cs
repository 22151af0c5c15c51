using System.Collections.Immutable;
using ActorCluster.Protocol;
using ActorCluster.Protocol.Membership;

namespace ActorCluster.Membership;

/// <summary>The whole table at one moment. Immutable; the messages inside are not to be changed.</summary>
/// <param name="Self">The node whose table it is.</param>
/// <param name="ClusterId">Empty before the node belongs to a cluster.</param>
/// <param name="View">Number of the last committed decision known here.</param>
/// <param name="Members">All known members, Removed ones too, by uid.</param>
/// <param name="CoordinatorVoters">Who votes in the coordinator group.</param>
/// <param name="Partitions">The partition map, once there is one.</param>
public sealed record MembershipSnapshot(
    NodeUid Self,
    string ClusterId,
    ulong View,
    ImmutableSortedDictionary<NodeUid, Member> Members,
    ImmutableArray<NodeUid> CoordinatorVoters,
    PartitionMap? Partitions)
{
    public static MembershipSnapshot Empty(NodeUid self) =>
        new(self, "", 0, ImmutableSortedDictionary<NodeUid, Member>.Empty, [], null);

    public Member? Find(NodeUid uid) => Members.GetValueOrDefault(uid);

    /// <summary>The member that holds an address and is not Removed.</summary>
    public Member? FindByAddress(string address)
    {
        foreach (var member in Members.Values)
            if (member.State != MemberState.Removed && string.Equals(member.Address, address, StringComparison.Ordinal)) return member;
        return null;
    }

    /// <summary>Whether requests may be sent to an address (row B22): not to Removed, Unreachable or unknown nodes.</summary>
    public bool IsSendable(string address) => FindByAddress(address) is { State: not MemberState.Unreachable };

    /// <summary>Members that are not Removed: those that count for "more than half" (guarantee G5).</summary>
    public int Standing
    {
        get
        {
            var count = 0;
            foreach (var member in Members.Values)
                if (member.State != MemberState.Removed) count++;
            return count;
        }
    }
}
