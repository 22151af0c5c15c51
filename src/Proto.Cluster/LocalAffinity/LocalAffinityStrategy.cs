using System.Collections.Immutable;

namespace Proto.Cluster;

/// <summary>The member that asks, when it hosts the kind; otherwise one after the other.</summary>
sealed class LocalAffinityStrategy : IMemberStrategy
{
    readonly SimpleMemberStrategy _others = new();

    public ImmutableList<Member> GetAllMembers() => _others.GetAllMembers();

    public void AddMember(Member member) => _others.AddMember(member);

    public void RemoveMember(Member member) => _others.RemoveMember(member);

    public Member? GetActivator(string senderAddress) =>
        _others.GetAllMembers().Find(member => string.Equals(member.Address, senderAddress, StringComparison.Ordinal)) ?? _others.GetActivator(senderAddress);
}
