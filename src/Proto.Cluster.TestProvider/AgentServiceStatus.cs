namespace Proto.Cluster.Testing;

/// <summary>What a member tells the agent about itself.</summary>
public record AgentServiceRegistration
{
    public required string ID { get; init; }

    public required string Host { get; init; }

    public required int Port { get; init; }

    public string[] Kinds { get; init; } = [];
}

/// <summary>A registered member as the agent sees it.</summary>
/// <param name="Member">The member; it counts while it is alive.</param>
/// <param name="RefreshedAt">When it was registered or last refreshed.</param>
/// <param name="Alive">False when it was not refreshed in time.</param>
public sealed record AgentServiceStatus(Member Member, DateTimeOffset RefreshedAt, bool Alive)
{
    public string ID => Member.Id;

    public string Host => Member.Host;

    public int Port => Member.Port;

    public string[] Kinds => [.. Member.Kinds];
}
