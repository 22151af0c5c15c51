namespace Proto.Cluster.SingleNode;

/// <summary>A cluster of this member alone.</summary>
public sealed class SingleNodeProvider : IClusterProvider
{
    public Task StartMemberAsync(Cluster cluster)
    {
        cluster.MemberList.UpdateClusterTopology([cluster.MemberList.Self]);
        return Task.CompletedTask;
    }

    public Task StartClientAsync(Cluster cluster) =>
        throw new NotSupportedException("a single node has no clients: start it with StartMemberAsync");

    public Task ShutdownAsync(bool graceful) => Task.CompletedTask;
}
