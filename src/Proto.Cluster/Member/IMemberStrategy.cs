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
