using ActorCluster.Benchmarks.Load;

namespace ActorCluster.Benchmarks.Reports;

/// <summary>What one system gave. Idle processor time in milliseconds per second and process; resident memory in bytes, one number per process.</summary>
sealed record SystemResult(
    string Name,
    IReadOnlyList<LoadResult> Writes,
    IReadOnlyList<LoadResult> Reads,
    double IdleCpuMs,
    IReadOnlyList<long> ResidentEmpty,
    IReadOnlyList<long> ResidentLoaded,
    FailoverResult? Failover);

/// <summary>Everything of one run.</summary>
sealed record BenchmarkResult(
    Conditions Conditions,
    string FileSystem,
    BenchmarkSettings Settings,
    double SyncsPerSecond,
    IReadOnlyList<LoadResult> EmptyEndpoint,
    SystemResult? Ours,
    SystemResult? Etcd,
    string? EtcdVersion);
