using Google.Protobuf.Reflection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace ActorCluster.Client;

/// <summary>Settings of a client.</summary>
public sealed record ActorClusterClientOptions
{
    /// <summary>Name of the cluster in the client's own messages and metrics.</summary>
    public string ClusterName { get; init; } = "actorcluster";

    /// <summary>Deadline of a request whose token brings none that is earlier. Long enough for an election.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>A node that has not answered for so long is asked again, or another one is; the request's effect stays single.</summary>
    public TimeSpan AttemptTimeout { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Most requests in flight to one partition; more wait for their turn. At most 4096, a partition's own limit.</summary>
    public int MaxInFlightPerPartition { get; init; } = 1024;

    /// <summary>Most grains whose place is remembered; beyond, the longest unused are looked up again.</summary>
    public int MaxCachedLocations { get; init; } = 100_000;

    /// <summary>Most membership changes that wait for a slow reader of a watch; one more ends the watch.</summary>
    public int MaxPendingChanges { get; init; } = 1024;

    /// <summary>What the sessions of this client are called in the cluster's own lists.</summary>
    public string Label { get; init; } = "client";

    /// <summary>The protobuf files of the application's own messages, for requests that go past <see cref="ActorClusterClient.Grains"/>.</summary>
    public IReadOnlyList<FileDescriptor> Messages { get; init; } = [];

    public TimeProvider Time { get; init; } = TimeProvider.System;

    public ILoggerFactory Logs { get; init; } = NullLoggerFactory.Instance;

    /// <exception cref="ArgumentOutOfRangeException">Names the setting and what is allowed.</exception>
    internal void ThrowIfWrong()
    {
        Positive(RequestTimeout, nameof(RequestTimeout));
        Positive(AttemptTimeout, nameof(AttemptTimeout));
        Within(MaxInFlightPerPartition, 1, 4096, nameof(MaxInFlightPerPartition));
        Within(MaxCachedLocations, 1, 100_000_000, nameof(MaxCachedLocations));
        Within(MaxPendingChanges, 1, 1_000_000, nameof(MaxPendingChanges));
    }

    static void Positive(TimeSpan value, string name)
    {
        if (value <= TimeSpan.Zero || value > TimeSpan.FromDays(1)) throw new ArgumentOutOfRangeException(name, value, $"{name} must be above zero and at most a day");
    }

    static void Within(int value, int least, int most, string name)
    {
        if (value < least || value > most) throw new ArgumentOutOfRangeException(name, value, $"{name} must be {least} to {most}");
    }
}
