using System.Diagnostics.Metrics;

namespace Proto.Cluster;

/// <summary>Gauges of one cluster: how many members it sees, and how many activations of each kind it hosts. They end with it.</summary>
sealed class MembershipMetrics : IDisposable
{
    readonly Meter _meter = new(ClusterMetrics.MeterName);

    public MembershipMetrics(Cluster cluster)
    {
        KeyValuePair<string, object?> id = new("id", cluster.System.Id);
        KeyValuePair<string, object?> address = new("address", cluster.System.Address);
        _meter.CreateObservableGauge(
            "protocluster_members_count", () => new Measurement<long>(cluster.MemberList.GetMembers().Count, id, address));
        _meter.CreateObservableGauge(
            "protocluster_virtualactors",
            () => cluster.GetClusterKinds().Select(kind => new Measurement<long>(cluster.GetClusterKind(kind).Count, id, address, new("clusterkind", kind))));
    }

    public void Dispose() => _meter.Dispose();
}
