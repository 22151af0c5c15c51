using System.Collections;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;

namespace Proto;

/// <summary>Immutable key-value pairs that travel with a message, in the order of their keys.</summary>
public sealed class MessageHeader : IReadOnlyDictionary<string, string>
{
    public static readonly MessageHeader Empty = new(ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal));

    private readonly ImmutableSortedDictionary<string, string> _entries;

    public MessageHeader(IDictionary<string, string> entries) : this(entries.ToImmutableSortedDictionary(StringComparer.Ordinal)) { }

    private MessageHeader(ImmutableSortedDictionary<string, string> entries) => _entries = entries;

    public int Count => _entries.Count;

    public IEnumerable<string> Keys => _entries.Keys;

    public IEnumerable<string> Values => _entries.Values;

    public string this[string key] => _entries[key];

    /// <summary>A copy in which the key has this value.</summary>
    public MessageHeader With(string key, string value) => new(_entries.SetItem(key, value));

    /// <summary>A copy in which these entries replace those of the same key.</summary>
    public MessageHeader With(IEnumerable<KeyValuePair<string, string>> entries) => new(_entries.SetItems(entries));

    /// <inheritdoc cref="With(IEnumerable{KeyValuePair{string, string}})"/>
    public MessageHeader Extend(IEnumerable<KeyValuePair<string, string>> entries) => With(entries);

    public string GetOrDefault(string key, string defaultValue = "") => _entries.TryGetValue(key, out var value) ? value : defaultValue;

    public IDictionary<string, string> ToDictionary() => new Dictionary<string, string>(_entries, StringComparer.Ordinal);

    public bool ContainsKey(string key) => _entries.ContainsKey(key);

    public bool TryGetValue(string key, [MaybeNullWhen(false)] out string value) => _entries.TryGetValue(key, out value);

    public IEnumerator<KeyValuePair<string, string>> GetEnumerator() => _entries.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
