namespace Proto.Cluster;

/// <summary>Knows who is a member, and tells <see cref="MemberList.UpdateClusterTopology"/> whenever that changes.</summary>
public interface IClusterProvider : IDiagnosticsProvider
{
    Task StartMemberAsync(Cluster cluster);

    Task StartClientAsync(Cluster cluster);

    /// <summary>Gracefully: this member leaves. Otherwise it only stops, and the others find out.</summary>
    Task ShutdownAsync(bool graceful);
}
