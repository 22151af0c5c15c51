namespace Proto.Cluster.Gossip;

/// <summary>Entries on their way, and for each of their members the number that they follow without a gap.</summary>
sealed class GossipDelta
{
    int _entries;
    int _bytes;

    public GossipDelta()
    {
        State = new GossipState();
        After = new Dictionary<string, long>(StringComparer.Ordinal);
    }

    public GossipDelta(GossipState? state, IDictionary<string, long> after)
    {
        State = state ?? new GossipState();
        After = new Dictionary<string, long>(after, StringComparer.Ordinal);
    }

    public GossipState State { get; }

    public Dictionary<string, long> After { get; }

    public bool IsEmpty => State.Members.Count == 0;

    /// <summary>Adds a member's entries in the order of their numbers; false when the message is full.</summary>
    public bool TryAdd(string member, long after, IEnumerable<KeyValuePair<string, GossipKeyValue>> newer, int maxEntries)
    {
        GossipState.Types.GossipMemberState? values = null;
        foreach (var (key, value) in newer.OrderBy(entry => entry.Value.SequenceNumber))
        {
            var bytes = key.Length + value.CalculateSize();
            if (_entries >= maxEntries || _entries > 0 && _bytes + bytes > GossipLimits.MaxMessageBytes) return false;
            if (values is null)
            {
                values = new GossipState.Types.GossipMemberState();
                State.Members.Add(member, values);
                After.Add(member, after);
            }

            values.Values.Add(key, value);
            _entries++;
            _bytes += bytes;
        }

        return true;
    }
}
