namespace Proto.Cluster.Seed;

/// <summary>Settings of <see cref="SeedNodeClusterProvider"/>, which checks them when it is made.</summary>
public record SeedNodeClusterProviderOptions(ISeedNodeDiscovery Discovery)
{
    /// <summary>How long a start tries to join before it gives up.</summary>
    public TimeSpan JoinTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long one seed node's answer is waited for.</summary>
    public TimeSpan JoinRequestTimeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Pause between two tries.</summary>
    public TimeSpan JoinRetryInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// How often a member asks the seed nodes again, so that one that was restarted, and clusters that were formed apart from each other,
    /// come together.
    /// </summary>
    public TimeSpan RejoinInterval { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How often a client asks for the topology; a member forgets a client after three times that.</summary>
    public TimeSpan ClientRenewalInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// When no seed node answered within <see cref="JoinTimeout"/>: start a cluster of one and go on asking, instead of failing. For discoveries
    /// whose entries may be left over from members that are gone.
    /// </summary>
    public bool StartAloneWhenNobodyAnswers { get; init; } = true;

    /// <exception cref="ClusterConfigException">A setting is outside its limits.</exception>
    internal void Validate()
    {
        var shortest = TimeSpan.FromMilliseconds(1);
        SettingLimits.Given(nameof(Discovery), Discovery);
        SettingLimits.Time(nameof(JoinTimeout), JoinTimeout, shortest);
        SettingLimits.Time(nameof(JoinRequestTimeout), JoinRequestTimeout, shortest);
        SettingLimits.Time(nameof(JoinRetryInterval), JoinRetryInterval, shortest);
        SettingLimits.Time(nameof(RejoinInterval), RejoinInterval, shortest);
        SettingLimits.Time(nameof(ClientRenewalInterval), ClientRenewalInterval, shortest);
    }
}
