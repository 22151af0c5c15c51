namespace Proto.Cluster.Testing;

/// <summary>Settings of <see cref="TestProvider"/>.</summary>
public record TestProviderOptions
{
    /// <summary>
    /// A member that was not refreshed for this long counts no more. Zero (the default, unlike in the original): membership changes when a test says
    /// so and never by time.
    /// </summary>
    public TimeSpan ServiceTtl { get; init; } = TimeSpan.Zero;

    /// <summary>How often a member refreshes itself and looks for those that are late; while <see cref="ServiceTtl"/> is on.</summary>
    public TimeSpan RefreshTtl { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long a member that counts no more stays registered, and may come back by being refreshed.</summary>
    public TimeSpan DeregisterCritical { get; init; } = TimeSpan.FromSeconds(10);
}
