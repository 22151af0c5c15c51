namespace Proto.Cluster.Testing;

/// <summary>What the cluster providers of one OS process share in tests: the list of members. Every change is told to all before the call returns.</summary>
public sealed class InMemAgent
{
    readonly Lock _gate = new();
    readonly SortedDictionary<string, AgentServiceStatus> _services = new(StringComparer.Ordinal);
    readonly List<Action<IReadOnlyCollection<Member>>> _listeners = [];

    /// <summary>Adds a member, or replaces the one with the same id.</summary>
    public void RegisterService(Member member) => RegisterService(member, DateTimeOffset.MinValue);

    /// <inheritdoc cref="RegisterService(Member)"/>
    public void RegisterService(AgentServiceRegistration registration)
    {
        var member = new Member { Id = registration.ID, Host = registration.Host, Port = registration.Port };
        member.Kinds.AddRange(registration.Kinds);
        RegisterService(member);
    }

    /// <summary>Removes a member, whether it left or a test says that it died.</summary>
    public void DeregisterService(string memberId)
    {
        lock (_gate)
        {
            if (_services.Remove(memberId)) Tell();
        }
    }

    /// <summary>Those that count as members.</summary>
    public IReadOnlyCollection<Member> GetServices()
    {
        lock (_gate) return Alive();
    }

    /// <summary>All that are registered, also those that were not refreshed in time; ordered by id.</summary>
    public AgentServiceStatus[] GetServicesHealth()
    {
        lock (_gate) return [.. _services.Values];
    }

    /// <summary>Tells everybody the members again, as they are.</summary>
    public void ForceUpdate()
    {
        lock (_gate) Tell();
    }

    internal void RegisterService(Member member, DateTimeOffset now)
    {
        lock (_gate)
        {
            _services[member.Id] = new AgentServiceStatus(member, now, Alive: true);
            Tell();
        }
    }

    /// <summary>The member is alive. False: it is not registered any more.</summary>
    internal bool RefreshServiceTTL(string memberId, DateTimeOffset now)
    {
        lock (_gate)
        {
            if (!_services.TryGetValue(memberId, out var service)) return false;
            _services[memberId] = service with { RefreshedAt = now, Alive = true };
            if (!service.Alive) Tell();
            return true;
        }
    }

    /// <summary>Members not refreshed for the time to live do not count any more, and are forgotten after a further while.</summary>
    internal void Expire(DateTimeOffset now, TimeSpan serviceTtl, TimeSpan deregisterCritical)
    {
        lock (_gate)
        {
            var changed = false;
            foreach (var service in _services.Values.ToArray())
            {
                var age = now - service.RefreshedAt;
                if (age < serviceTtl) continue;
                changed |= service.Alive;
                if (age < serviceTtl + deregisterCritical) _services[service.ID] = service with { Alive = false };
                else _services.Remove(service.ID);
            }

            if (changed) Tell();
        }
    }

    internal void Subscribe(Action<IReadOnlyCollection<Member>> listener)
    {
        lock (_gate)
        {
            _listeners.Add(listener);
            listener(Alive());
        }
    }

    internal void Unsubscribe(Action<IReadOnlyCollection<Member>> listener)
    {
        lock (_gate) _listeners.Remove(listener);
    }

    Member[] Alive() => [.. _services.Values.Where(service => service.Alive).Select(service => service.Member)];

    void Tell()
    {
        // As they are when each is told: one that was told may change them.
        foreach (var listener in _listeners.ToArray()) listener(Alive());
    }
}
