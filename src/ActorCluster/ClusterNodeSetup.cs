using ActorCluster.Grains;
using ActorCluster.Raft.Storage;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Proto;
using Proto.Cluster;

namespace ActorCluster;

/// <summary>What an application brings to a node beside its settings.</summary>
public sealed record ClusterNodeSetup
{
    /// <summary>Replicated grains; the same on every node.</summary>
    public GrainKinds Kinds { get; init; } = new();

    /// <summary>Plain virtual actors: placed like grains, without replicated state.</summary>
    public IReadOnlyList<ClusterKind> PlainKinds { get; init; } = [];

    /// <summary>All timers and clocks of the node.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Where the node logs.</summary>
    public ILoggerFactory Loggers { get; init; } = NullLoggerFactory.Instance;

    /// <summary>The disk.</summary>
    public IFileSystem Files { get; init; } = new OsFileSystem();

    /// <summary>Last word on the engine's configuration.</summary>
    public Func<ActorSystemConfig, ActorSystemConfig> ConfigureSystem { get; init; } = static config => config;
}
