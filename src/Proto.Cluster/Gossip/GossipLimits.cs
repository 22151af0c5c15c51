namespace Proto.Cluster.Gossip;

/// <summary>Bounds of the gossip state. Every member keeps the entries of all, so they are meant to be few and small.</summary>
public static class GossipLimits
{
    public const int MaxKeyChars = 256;

    public const int MaxKeysPerMember = 1000;

    /// <summary>Of one value, serialised.</summary>
    public const int MaxValueBytes = 1024 * 1024;

    /// <summary>Of the values in one message. A single larger value still travels, alone.</summary>
    public const int MaxMessageBytes = 1024 * 1024;
}

/// <summary>A value was refused, because the gossip state would be larger than its limits. Nothing was changed.</summary>
public sealed class GossipLimitException(string field, long value, long limit)
    : ArgumentException($"{field} is {value}; the limit is {limit}", field)
{
    public string Field { get; } = field;

    public long Limit { get; } = limit;
}

/// <summary>Gossip does not run on this system: the cluster was not started, has been shut down, or is a client, which does not gossip.</summary>
public sealed class GossipStoppedException(string message, Exception? innerException = null) : InvalidOperationException(message, innerException);
