namespace ActorCluster.Benchmarks;

/// <summary>What to measure, and for how long.</summary>
/// <param name="Connections">Numbers of concurrent connections.</param>
/// <param name="Duration">Time per number.</param>
/// <param name="WarmUp">Time before it that does not count.</param>
/// <param name="Rounds">Fail-over rounds; 0: none.</param>
/// <param name="Partitions">Partitions of ActorCluster.</param>
/// <param name="Keys">Different keys.</param>
/// <param name="Systems">"actorcluster", "etcd" or both.</param>
/// <param name="Directory">Where data directories are made, on the disk to measure.</param>
sealed record BenchmarkSettings(
    IReadOnlyList<int> Connections,
    TimeSpan Duration,
    TimeSpan WarmUp,
    int Rounds,
    int Partitions,
    int Keys,
    IReadOnlyList<string> Systems,
    string Directory);
