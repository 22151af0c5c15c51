using ActorCluster.Protocol;
using ActorCluster.Protocol.Admin;

namespace ActorCluster.Client.Routing;

/// <summary>Which partition holds a key or a grain's identity, as of one version of the partition map. Immutable.</summary>
public sealed class PartitionTable
{
    readonly ulong[] _firstHashes;
    readonly uint[] _ids;

    /// <exception cref="InvalidDataException">The map has a gap at its beginning.</exception>
    public PartitionTable(Partitions partitions)
    {
        var ordered = partitions.Partitions_.Select(p => p.Partition).OrderBy(p => p.FirstHash).ToArray();
        if (ordered.Length == 0 || ordered[0].FirstHash != 0) throw new InvalidDataException($"partition map {partitions.Version} does not begin at hash 0");
        Version = partitions.Version;
        _firstHashes = [.. ordered.Select(p => p.FirstHash)];
        _ids = [.. ordered.Select(p => p.Id)];
    }

    public ulong Version { get; }

    public int Count => _ids.Length;

    /// <summary>The id of the partition whose hash range holds the identity (the kind does not enter).</summary>
    public uint Find(string identity)
    {
        var at = Array.BinarySearch(_firstHashes, StableHash.Of(identity));
        return _ids[at >= 0 ? at : ~at - 1];
    }
}
