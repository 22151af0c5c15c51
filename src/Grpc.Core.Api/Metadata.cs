using System.Collections.ObjectModel;

namespace Grpc.Core;

/// <summary>Headers of a call, in order; a key may stand there more than once.</summary>
public sealed partial class Metadata : Collection<Metadata.Entry>
{
    /// <summary>Keys that end with this have bytes as values.</summary>
    public const string BinaryHeaderSuffix = "-bin";

    public static readonly Metadata Empty = [];

    public void Add(string key, string value) => Add(new Entry(key, value));

    public void Add(string key, byte[] valueBytes) => Add(new Entry(key, valueBytes));

    /// <summary>The last entry with this key; null when there is none.</summary>
    public Entry? Get(string key)
    {
        Entry? found = null;
        foreach (var entry in GetAll(key)) found = entry;
        return found;
    }

    public string? GetValue(string key) => Get(key)?.Value;

    public byte[]? GetValueBytes(string key) => Get(key)?.ValueBytes;

    public IEnumerable<Entry> GetAll(string key) => this.Where(entry => string.Equals(entry.Key, key, StringComparison.OrdinalIgnoreCase));

    protected override void InsertItem(int index, Entry item)
    {
        ThrowIfShared();
        ArgumentNullException.ThrowIfNull(item);
        base.InsertItem(index, item);
    }

    protected override void SetItem(int index, Entry item)
    {
        ThrowIfShared();
        ArgumentNullException.ThrowIfNull(item);
        base.SetItem(index, item);
    }

    void ThrowIfShared()
    {
        if (ReferenceEquals(this, Empty)) throw new InvalidOperationException("Metadata.Empty is shared by all and stays empty");
    }
}
