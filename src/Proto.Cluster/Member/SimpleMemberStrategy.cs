using System.Collections.Immutable;

namespace Proto.Cluster;

/// <summary>The default: every member that hosts the kind gets the next activation in its turn (round robin), in the order in which they joined.</summary>
public sealed class SimpleMemberStrategy : IMemberStrategy
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
