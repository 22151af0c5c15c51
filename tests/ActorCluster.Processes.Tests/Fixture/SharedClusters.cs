namespace ActorCluster.Processes.Tests.Fixture;

/// <summary>
/// One cluster per number of partitions, shared by the scenarios that leave it as they found it: three nodes that serve.
/// </summary>
public sealed class SharedClusters : IDisposable
{
    /// <summary>Small, so that every scenario runs over snapshots and a log that was cut.</summary>
    const int SnapshotEntries = 20;

    readonly Dictionary<int, ProcessCluster> _clusters = [];

    /// <summary>A cluster with all nodes serving; what the previous test left down is brought back.</summary>
    internal async Task<ProcessCluster> GetAsync(int partitions)
    {
        if (_clusters.TryGetValue(partitions, out var cluster))
        {
            await cluster.RestoreAsync();
            return cluster;
        }

        cluster = await ProcessCluster.StartAsync(partitions, SnapshotEntries);
        _clusters.Add(partitions, cluster);
        return cluster;
    }

    /// <summary>A key that no other test uses.</summary>
    internal static string Key(string name, int partitions) => $"{name}-{partitions}-{Interlocked.Increment(ref _keys)}";

    static int _keys;

    public void Dispose()
    {
        foreach (var cluster in _clusters.Values) cluster.Dispose();
    }
}

[CollectionDefinition(Name)]
public sealed class SharedClustersCollection : ICollectionFixture<SharedClusters>
{
    public const string Name = "shared clusters";
}
