namespace ActorCluster.Keyspace.Actors;

/// <summary>Limits and times of the key space on one node.</summary>
public sealed record KeyspaceOptions
{
    /// <summary>Most requests that this node's router has under way; one more is refused as Overloaded.</summary>
    public int MaxInFlight { get; init; } = 16_384;

    /// <summary>Most requests under way at one partition's leader; one more is refused as Overloaded.</summary>
    public int MaxInFlightPerPartition { get; init; } = 8_192;

    /// <summary>Estimated memory of one partition's state, in bytes, beyond which puts and grains' turns are refused as Overloaded.</summary>
    public long MaxPartitionBytes { get; init; } = 1L << 30;

    /// <summary>How long one attempt at another node may take before the router tries again (a paused leader answers nothing).</summary>
    public TimeSpan AttemptTimeout { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Deadline of requests that bring none.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>First pause between attempts; doubles up to <see cref="MaxRetryPause"/>.</summary>
    public TimeSpan MinRetryPause { get; init; } = TimeSpan.FromMilliseconds(5);

    /// <summary>Longest pause between attempts.</summary>
    public TimeSpan MaxRetryPause { get; init; } = TimeSpan.FromMilliseconds(40);

    /// <summary>A session without a request for so long is ended by the leader. Repeats after that are refused.</summary>
    public TimeSpan SessionIdle { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>How often a leader looks whether its group has the replicas that the partition map names.</summary>
    public TimeSpan SettleEvery { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>How often a leader looks for idle sessions.</summary>
    public TimeSpan SessionSweep { get; init; } = TimeSpan.FromMinutes(1);
}
