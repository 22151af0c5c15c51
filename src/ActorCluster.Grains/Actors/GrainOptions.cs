namespace ActorCluster.Grains.Actors;

/// <summary>Limits and times of the virtual actors on one node.</summary>
public sealed record GrainOptions
{
    /// <summary>An activation without a message for so long is unloaded; the next request activates it again.</summary>
    public TimeSpan Idle { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Most activations of this node; one more is refused as Overloaded.</summary>
    public int MaxActivations { get; init; } = 100_000;

    /// <summary>Most requests that wait for one activation.</summary>
    public int MaxWaiting { get; init; } = 10_000;

    /// <summary>How long an activation may take.</summary>
    public TimeSpan ActivationTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Deadline of calls that bring none.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(5);
}
