namespace Proto.Cluster.Testing;

/// <summary>A cluster provider for clusters whose members live in one OS process and share an <see cref="InMemAgent"/>.</summary>
public sealed class TestProvider(TestProviderOptions options, InMemAgent agent) : IClusterProvider
{
    readonly InMemAgent _agent = agent;
    Action<IReadOnlyCollection<Member>>? _listener;
    ITimer? _refresh;
    string? _memberId;

    public TestProviderOptions Options { get; } = options;

    public Task StartMemberAsync(Cluster cluster)
    {
        var time = cluster.System.Config.TimeProvider;
        var self = cluster.MemberList.Self;
        _memberId = self.Id;
        _agent.RegisterService(self, time.GetUtcNow());
        Listen(cluster);
        if (Options.ServiceTtl > TimeSpan.Zero) _refresh = time.CreateTimer(_ => Refresh(self, time.GetUtcNow()), null, Options.RefreshTtl, Options.RefreshTtl);
        return Task.CompletedTask;
    }

    public Task StartClientAsync(Cluster cluster)
    {
        Listen(cluster);
        return Task.CompletedTask;
    }

    /// <summary>Gracefully: leaves the agent's list. Otherwise it stays there, as after a crash, until a test takes it out or its time to live is over.</summary>
    public Task ShutdownAsync(bool graceful)
    {
        _refresh?.Dispose();
        if (_listener is not null) _agent.Unsubscribe(_listener);
        if (graceful && _memberId is not null) _agent.DeregisterService(_memberId);
        return Task.CompletedTask;
    }

    void Listen(Cluster cluster)
    {
        _listener = cluster.MemberList.UpdateClusterTopology;
        _agent.Subscribe(_listener);
    }

    void Refresh(Member self, DateTimeOffset now)
    {
        if (!_agent.RefreshServiceTTL(self.Id, now)) _refresh?.Dispose();
        _agent.Expire(now, Options.ServiceTtl, Options.DeregisterCritical);
    }
}
