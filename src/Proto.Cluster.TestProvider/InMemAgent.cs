namespace Proto.Cluster.Testing;

/// <summary>What the cluster providers of one OS process share in tests: the list of members. Every change is told to all before the call returns.</summary>
public sealed class InMemAgent
{
    readonly Lock _gate = new();
    readonly Dictionary<string, Member> _members = new(StringComparer.Ordinal);
    readonly List<Action<IReadOnlyCollection<Member>>> _listeners = [];

    /// <summary>Adds a member, or replaces the one with the same id.</summary>
    public void RegisterService(Member member)
    {
        lock (_gate)
        {
            _members[member.Id] = member;
            Tell();
        }
    }

    /// <summary>Removes a member, whether it left or a test says that it died.</summary>
    public void DeregisterService(string memberId)
    {
        lock (_gate)
        {
            if (_members.Remove(memberId)) Tell();
        }
    }

    public IReadOnlyCollection<Member> GetServices()
    {
        lock (_gate) return [.. _members.Values];
    }

    internal void Subscribe(Action<IReadOnlyCollection<Member>> listener)
    {
        lock (_gate)
        {
            _listeners.Add(listener);
            listener([.. _members.Values]);
        }
    }

    internal void Unsubscribe(Action<IReadOnlyCollection<Member>> listener)
    {
        lock (_gate) _listeners.Remove(listener);
    }

    void Tell()
    {
        Member[] members = [.. _members.Values];
        foreach (var listener in _listeners.ToArray()) listener(members);
    }
}
