namespace ActorCluster.Protocol;

/// <summary>Limits that every side of the wire knows, so that what is refused is refused as early as possible.</summary>
public static class Limits
{
    /// <summary>Longest key or grain identity, in UTF-8 bytes.</summary>
    public const int MaxKeyBytes = 1024;

    /// <summary>Largest value, grain state or grain message, in bytes.</summary>
    public const int MaxValueBytes = 1024 * 1024;
}
