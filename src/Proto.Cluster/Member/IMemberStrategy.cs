using System.Collections.Immutable;

namespace Proto.Cluster;

/// <summary>The members that host one kind, and which of them gets the next activation.</summary>
public interface IMemberStrategy
{
    ImmutableList<Member> GetAllMembers();

    void AddMember(Member member);

    void RemoveMember(Member member);

    /// <param name="senderAddress">Who asks, for strategies that prefer nearness.</param>
    Member? GetActivator(string senderAddress);
}

/// <summary>One after the other.</summary>
sealed class RoundRobinMemberStrategy : IMemberStrategy
{
    ImmutableList<Member> _members = [];
    uint _next;

    public ImmutableList<Member> GetAllMembers() => _members;

    public void AddMember(Member member)
    {
        if (!_members.Exists(known => string.Equals(known.Id, member.Id, StringComparison.Ordinal))) _members = _members.Add(member);
    }

    public void RemoveMember(Member member) =>
        _members = _members.RemoveAll(known => string.Equals(known.Id, member.Id, StringComparison.Ordinal));

    public Member? GetActivator(string senderAddress)
    {
        var members = _members;
        return members.Count == 0 ? null : members[(int)(Interlocked.Increment(ref _next) % (uint)members.Count)];
    }
}
