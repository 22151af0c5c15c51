using System.Globalization;

namespace ActorCluster.Client.Routing;

/// <summary>Whom a request is for.</summary>
/// <param name="Kind">Kind of the virtual actor.</param>
/// <param name="Identity">Its identity; for kind "kv" any key of the partition.</param>
/// <param name="Partition">The partition that holds the identity.</param>
readonly record struct Target(string Kind, string Identity, uint Partition)
{
    public const string KvKind = "kv";

    /// <summary>What its place is remembered under.</summary>
    public string CacheKey => Kind == KvKind ? string.Create(CultureInfo.InvariantCulture, $"kv/#{Partition}") : $"{Kind}/{Identity}";
}
