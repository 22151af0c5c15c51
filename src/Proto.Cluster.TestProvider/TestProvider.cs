namespace Proto.Cluster.Testing;

/// <summary>Settings of <see cref="TestProvider"/>; there are none: membership changes when a test says so, never by time.</summary>
public record TestProviderOptions;

/// <summary>A cluster provider for clusters whose members live in one OS process and share an <see cref="InMemAgent"/>.</summary>
public sealed class TestProvider(TestProviderOptions options, InMemAgent agent) : IClusterProvider
{
    readonly InMemAgent _agent = agent;
    Action<IReadOnlyCollection<Member>>? _listener;
    string? _memberId;

    public TestProviderOptions Options { get; } = options;

    public Task StartMemberAsync(Cluster cluster)
    {
        _memberId = cluster.System.Id;
        _agent.RegisterService(cluster.MemberList.Self);
        Listen(cluster);
        return Task.CompletedTask;
    }

    public Task StartClientAsync(Cluster cluster)
    {
        Listen(cluster);
        return Task.CompletedTask;
    }

    /// <summary>Gracefully: leaves the agent's list. Otherwise it stays there, as after a crash, until a test takes it out.</summary>
    public Task ShutdownAsync(bool graceful)
    {
        if (_listener is not null) _agent.Unsubscribe(_listener);
        if (graceful && _memberId is not null) _agent.DeregisterService(_memberId);
        return Task.CompletedTask;
    }

    void Listen(Cluster cluster)
    {
        _listener = cluster.MemberList.UpdateClusterTopology;
        _agent.Subscribe(_listener);
    }
}
