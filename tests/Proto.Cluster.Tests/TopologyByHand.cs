namespace Proto.Cluster.Tests;

/// <summary>A provider that tells a member nothing; the test does, and so decides who sees which topology when.</summary>
sealed class TopologyByHand : IClusterProvider
{
    Cluster? _cluster;

    public Task StartMemberAsync(Cluster cluster)
    {
        _cluster = cluster;
        See(cluster);
        return Task.CompletedTask;
    }

    public Task StartClientAsync(Cluster cluster)
    {
        _cluster = cluster;
        return Task.CompletedTask;
    }

    public Task ShutdownAsync(bool graceful) => Task.CompletedTask;

    public void See(params Cluster[] members) => _cluster!.MemberList.UpdateClusterTopology([.. members.Select(member => member.MemberList.Self)]);
}
