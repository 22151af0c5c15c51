using Google.Protobuf;

namespace Proto.Cluster;

/// <summary>A virtual actor's name: its kind, and its identity within the kind.</summary>
public sealed partial class ClusterIdentity : ICustomDiagnosticMessage
{
    public static ClusterIdentity Create(string identity, string kind) => new() { Identity = identity, Kind = kind };

    /// <summary><c>{Kind}/{Identity}</c></summary>
    public string ToDiagnosticString() => $"{Kind}/{Identity}";
}
