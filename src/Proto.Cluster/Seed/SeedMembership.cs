namespace Proto.Cluster.Seed;

/// <summary>
/// The members as one of them knows them: all that ever joined anywhere, without those that departed. Both sets only grow, and are joined with what
/// others gossip, so that all end with the same whoever told whom first. Nothing but a member's own farewell, a majority's verdict or
/// a successor at its address makes it depart: a join that fails removes nobody.
/// </summary>
sealed class SeedMembership(Member self)
{
    /// <summary>Most departed members that are told to others; what happened before them has long got around.</summary>
    const int MaxDepartedTold = 256;

    readonly SortedDictionary<string, Member> _members = new(StringComparer.Ordinal) { [self.Id] = self };
    readonly DepartedMembers _departed = new();

    /// <summary>Ordered by id.</summary>
    public IReadOnlyCollection<Member> Members => _members.Values;

    public IReadOnlyCollection<string> Departed => _departed.Ids;

    public bool HasDeparted(string memberId) => _departed.Contains(memberId);

    /// <summary>False when nothing changed.</summary>
    public bool Add(Member member)
    {
        if (!IsWellFormed(member) || _departed.Contains(member.Id) || _members.ContainsKey(member.Id)) return false;
        if (_members.Values.FirstOrDefault(other => string.Equals(other.Address, member.Address, StringComparison.Ordinal)) is { } rival)
        {
            if (!member.Supersedes(rival) || IsSelf(rival.Id)) return Depart(member.Id);
            Depart(rival.Id);
        }

        _members.Add(member.Id, member);
        return true;
    }

    /// <summary>It is gone for good. This member itself is never: what the others think of it, they tell it.</summary>
    public bool Depart(string memberId)
    {
        if (IsSelf(memberId)) return false;
        var wasMember = _members.Remove(memberId);
        return _departed.Add(memberId) || wasMember;
    }

    public bool Merge(SeedMembers others)
    {
        var changed = false;
        foreach (var departed in others.Departed) changed |= Depart(departed);
        foreach (var member in others.Members) changed |= Add(member);
        return changed;
    }

    public SeedMembers Describe()
    {
        var message = new SeedMembers();
        message.Members.AddRange(_members.Values);
        message.Departed.AddRange(_departed.Ids.Skip(_departed.Ids.Count - MaxDepartedTold));
        return message;
    }

    public static bool IsWellFormed(Member? member) => member is { Id.Length: > 0 and <= 256, Host.Length: > 0 and <= 255, Port: > 0 and <= ushort.MaxValue };

    bool IsSelf(string memberId) => string.Equals(memberId, self.Id, StringComparison.Ordinal);
}
