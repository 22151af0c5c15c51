namespace Proto.Cluster;

/// <summary>No member of the cluster hosts the kind: nothing was sent.</summary>
public sealed class KindNotHostedException(string kind) : Exception($"no member of the cluster hosts the kind '{kind}'")
{
    public string Kind { get; } = kind;
}
