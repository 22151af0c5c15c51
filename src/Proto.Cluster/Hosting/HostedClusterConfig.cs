using Proto.Cluster.Identity;
using Proto.Remote.GrpcNet;

namespace Proto.Cluster;

/// <summary>Settings of a cluster member or client that the application's host starts and stops.</summary>
public class HostedClusterConfig
{
    public string ClusterName { get; set; } = "MyCluster";

    /// <summary>The address to listen at, and that others reach it at unless <see cref="ConfigureRemote"/> says otherwise.</summary>
    public string BindToHost { get; set; } = "localhost";

    /// <summary>0: any free one.</summary>
    public int Port { get; set; }

    public Func<ActorSystemConfig, ActorSystemConfig>? ConfigureSystem { get; set; }

    public Func<GrpcNetRemoteConfig, GrpcNetRemoteConfig>? ConfigureRemote { get; set; }

    public Func<ClusterConfig, ClusterConfig>? ConfigureCluster { get; set; }

    /// <summary>Who tells the members. There is no default.</summary>
    public IClusterProvider? ClusterProvider { get; set; }

    /// <summary>Null: <see cref="Partition.PartitionIdentityLookup"/>.</summary>
    public IIdentityLookup? IdentityLookup { get; set; }

    /// <summary>Hosts nothing, and is no member.</summary>
    public bool RunAsClient { get; set; }
}
