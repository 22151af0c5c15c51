using System.Globalization;
using Proto.Cluster;
using Proto.Cluster.PartitionActivator;
using Proto.Diagnostics;

namespace Proto.Benchmarks.Cluster;

/// <summary>A cluster of this process and its peer, who are told of each other when they start. Nothing changes later.</summary>
sealed class TwoMembers(Member other) : IClusterProvider
{
    /// <summary>Hosted by the peer alone.</summary>
    public const string There = "there";

    /// <summary>Hosted by both, so that identities spread over them.</summary>
    public const string Anywhere = "anywhere";

    public static readonly string[] PeerKinds = [There, Anywhere];
    public static readonly string[] ParentKinds = [Anywhere];

    public static Proto.Cluster.Cluster Join(ActorSystem system, string otherAddress, string otherId, string[] kinds, string[] otherKinds)
    {
        var colon = otherAddress.LastIndexOf(':');
        var other = new Member { Id = otherId, Host = otherAddress[..colon], Port = int.Parse(otherAddress.AsSpan(colon + 1), CultureInfo.InvariantCulture) };
        other.Kinds.AddRange(otherKinds);
        var config = ClusterConfig.Setup("benchmark", new TwoMembers(other), new PartitionActivatorLookup())
            .WithClusterKinds([.. kinds.Select(kind => new ClusterKind(kind, Props.FromProducer(() => new EchoGrain())))]);
        return system.WithCluster(config).Cluster();
    }

    public Task StartMemberAsync(Proto.Cluster.Cluster cluster)
    {
        cluster.MemberList.UpdateClusterTopology([cluster.MemberList.Self, other]);
        return Task.CompletedTask;
    }

    public Task StartClientAsync(Proto.Cluster.Cluster cluster) => throw new NotSupportedException("a benchmark has members only");

    public Task ShutdownAsync(bool graceful) => Task.CompletedTask;

    public Task<DiagnosticsEntry[]> GetDiagnostics() => Task.FromResult<DiagnosticsEntry[]>([]);
}
