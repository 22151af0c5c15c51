namespace Proto.Cluster.Partition;

/// <summary>Settings of <see cref="PartitionIdentityLookup"/>.</summary>
public record PartitionConfig
{
    /// <summary>The longest that one question for a PID may take: to the identity's owner, and from there to the member that shall activate it.</summary>
    public TimeSpan GetPidTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Most activations in one message of a hand-over.</summary>
    public int HandoverChunkSize { get; init; } = 5000;

    /// <summary>
    /// After a change of the topology: how long members may take to say what they host before that is logged. Identities wait for as long as
    /// it takes; going on without an answer could activate one twice.
    /// </summary>
    public TimeSpan RebalanceActivationsCompletionTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The longest that one question of a hand-over may take before it is asked again.</summary>
    public TimeSpan RebalanceRequestTimeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Accepted for source compatibility: the new owner asks (pull), whatever is set.</summary>
    public PartitionIdentityLookup.Mode Mode { get; init; } = PartitionIdentityLookup.Mode.Pull;

    /// <summary>Accepted for source compatibility: an answer names all activations that belong to the asker, whatever is set.</summary>
    public PartitionIdentityLookup.Send Send { get; init; } = PartitionIdentityLookup.Send.Full;

    internal void ThrowIfWrong()
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(GetPidTimeout, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThan(HandoverChunkSize, 1);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(RebalanceActivationsCompletionTimeout, TimeSpan.Zero);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(RebalanceRequestTimeout, TimeSpan.Zero);
    }
}
