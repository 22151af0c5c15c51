using System.Diagnostics.CodeAnalysis;
using Google.Protobuf;

namespace ActorCluster.Keyspace;

/// <summary>A stored value.</summary>
/// <param name="Value">The bytes.</param>
/// <param name="Version">Log index of the write that stored them.</param>
public readonly record struct KvEntry(ByteString Value, ulong Version);

/// <summary>The keys and values of one partition, in memory, ordered by key.</summary>
public sealed class KvStore
{
    /// <summary>Rough cost of an entry beside its key and value: string and ByteString headers, the array, its place in the tree.</summary>
    public const int OverheadBytes = 128;

    readonly OrderedStore<KvEntry> _entries = new();

    public int Count => _entries.Count;

    /// <summary>Estimate of the memory that the entries take, in bytes.</summary>
    public long Bytes { get; private set; }

    public bool TryGet(string key, out KvEntry entry) => _entries.TryGet(key, out entry);

    public void Put(string key, ByteString value, ulong version)
    {
        var existed = _entries.Set(key, new KvEntry(value, version), out var previous);
        Bytes += existed ? value.Length - previous.Value.Length : Cost(key, value);
    }

    /// <summary>Deletes a key; a missing one is fine.</summary>
    /// <returns>Whether it was there.</returns>
    public bool Delete(string key, [MaybeNullWhen(false)] out KvEntry previous)
    {
        if (!_entries.Remove(key, out previous)) return false;
        Bytes -= Cost(key, previous.Value);
        return true;
    }

    /// <summary>The entries as they are now; costs nothing until the next write.</summary>
    public OrderedStore<KvEntry>.View Capture() => _entries.Capture();

    static long Cost(string key, ByteString value) => OverheadBytes + (2L * key.Length) + value.Length;
}
