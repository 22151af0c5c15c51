namespace Proto.Cluster;

/// <summary>A setting of <see cref="ClusterConfig"/> (or of a cluster provider) is outside its limits. Thrown before anything is started.</summary>
public sealed class ClusterConfigException : ArgumentException
{
    public ClusterConfigException(string field, object? value, string limit)
        : base($"{field} is {value ?? "null"}; it must be {limit}", field)
    {
        Field = field;
        Limit = limit;
    }

    /// <summary>The setting's name.</summary>
    public string Field { get; }

    /// <summary>What it must be.</summary>
    public string Limit { get; }
}
