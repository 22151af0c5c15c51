using Google.Protobuf.WellKnownTypes;

namespace Proto.Cluster.Gossip;

/// <summary>
/// What this member knows of what all members say about themselves, and what each of them lacks of it: scuttlebutt reconciliation
/// (van Renesse et al. 2008). Each member numbers what it sets, over all its keys; entries travel in that order, so that one number per
/// member tells all that somebody has. A pure state machine: no actor, no clock, no randomness.
///
/// Invariants: only <see cref="Self"/> changes its own entries. Of one key of one member the entry with the highest number counts.
/// <c>Known</c> of a member is n: every entry of it up to n is here, or one of the same key with a higher number. Entries of non-members are not kept.
/// </summary>
sealed class GossipStateMachine(string self)
{
    readonly SortedDictionary<string, MemberEntries> _entries = new(StringComparer.Ordinal) { [self] = new MemberEntries() };
    readonly SortedDictionary<string, IReadOnlyDictionary<string, long>> _knownByPeer = new(StringComparer.Ordinal);
    HashSet<string> _members = new(StringComparer.Ordinal) { self };

    public string Self { get; } = self;

    /// <summary>The members whose entries are kept; this one always is.</summary>
    public IReadOnlySet<string> Members => _members;

    /// <summary>Sets an entry of this member.</summary>
    /// <exception cref="GossipLimitException">Key or value is too large, or there are too many keys.</exception>
    public void Set(string key, Any value, long nowUnixMs)
    {
        if (FindViolation(key, value) is { } violation) throw violation;
        var own = _entries[Self];
        if (own.Values.Count >= GossipLimits.MaxKeysPerMember && !own.Values.ContainsKey(key))
            throw new GossipLimitException("keys of this member", own.Values.Count + 1, GossipLimits.MaxKeysPerMember);
        own.Known++;
        own.Values[key] = new GossipKeyValue { SequenceNumber = own.Known, Value = value, LocalTimestampUnixMilliseconds = nowUnixMs };
    }

    /// <summary>Forgets the entries of all others, and what they are known to have.</summary>
    public void SetMembers(IEnumerable<string> memberIds)
    {
        _members = new HashSet<string>(memberIds, StringComparer.Ordinal) { Self };
        foreach (var gone in _entries.Keys.Where(id => !_members.Contains(id)).ToArray()) _entries.Remove(gone);
        foreach (var gone in _knownByPeer.Keys.Where(id => !_members.Contains(id)).ToArray()) _knownByPeer.Remove(gone);
    }

    /// <summary>How far the entries of each member are known here. Who is not named is no member here, and its entries are not wanted.</summary>
    public IEnumerable<KeyValuePair<string, long>> Known() =>
        _members.Order(StringComparer.Ordinal).Select(id => KeyValuePair.Create(id, _entries.TryGetValue(id, out var entries) ? entries.Known : 0));

    /// <summary>A peer told what it has. What it told before does not count any more: it may have forgotten some of it.</summary>
    public void PeerKnows(string peer, IEnumerable<KeyValuePair<string, long>> known)
    {
        if (!_members.Contains(peer) || IsSelf(peer)) return;
        _knownByPeer[peer] = new Dictionary<string, long>(known, StringComparer.Ordinal);
    }

    /// <summary>Is there anything here that the peer wants and is not known to have?</summary>
    public bool HasNewsFor(string peer)
    {
        var known = _knownByPeer.GetValueOrDefault(peer);
        foreach (var (member, entries) in _entries)
        {
            if (!string.Equals(member, peer, StringComparison.Ordinal) && Lacks(known, member, out var after) && entries.Known > after) return true;
        }

        return false;
    }

    /// <summary>What the peer lacks: own entries first, each member's oldest first, at most <paramref name="maxEntries"/>.</summary>
    public GossipDelta DeltaFor(string peer, int maxEntries) => DeltaBeyond(_knownByPeer.GetValueOrDefault(peer), peer, maxEntries);

    /// <summary>As <see cref="DeltaFor"/>, for one that told just now what it has.</summary>
    public GossipDelta DeltaBeyond(IReadOnlyDictionary<string, long>? known, string peer, int maxEntries)
    {
        var delta = new GossipDelta();
        foreach (var member in _entries.Keys.OrderBy(id => !IsSelf(id)).ThenBy(id => id, StringComparer.Ordinal))
        {
            if (string.Equals(member, peer, StringComparison.Ordinal) || !Lacks(known, member, out var after)) continue;
            if (!delta.TryAdd(member, after, _entries[member].Values.Where(entry => entry.Value.SequenceNumber > after), maxEntries)) break;
        }

        return delta;
    }

    /// <summary>Takes in what another member sent; returns what changed, in order.</summary>
    public IReadOnlyList<GossipUpdate> Merge(GossipDelta delta, long nowUnixMs)
    {
        var updates = new List<GossipUpdate>();
        foreach (var (member, values) in delta.State.Members.OrderBy(entry => entry.Key, StringComparer.Ordinal))
        {
            if (IsSelf(member) || !_members.Contains(member)) continue;
            if (!_entries.TryGetValue(member, out var entries)) entries = new MemberEntries();
            // Entries between would be missing: they come again when the sender knows what is here.
            if (delta.After.GetValueOrDefault(member) > entries.Known) continue;
            if (!IsWellFormed(values, entries)) continue;
            _entries[member] = entries;
            foreach (var (key, entry) in values.Values.OrderBy(value => value.Value.SequenceNumber))
            {
                entries.Known = Math.Max(entries.Known, entry.SequenceNumber);
                if (entries.Values.TryGetValue(key, out var former) && former.SequenceNumber >= entry.SequenceNumber) continue;
                entries.Values[key] = new GossipKeyValue
                {
                    SequenceNumber = entry.SequenceNumber,
                    Value = entry.Value,
                    LocalTimestampUnixMilliseconds = nowUnixMs,
                };
                updates.Add(new GossipUpdate(member, key, entry.Value, entry.SequenceNumber));
            }
        }

        return updates;
    }

    public GossipKeyValue? Find(string memberId, string key) =>
        _entries.TryGetValue(memberId, out var entries) ? entries.Values.GetValueOrDefault(key) : null;

    /// <summary>All entries, as messages that the receiver may keep but must not change.</summary>
    public GossipState Snapshot()
    {
        var state = new GossipState();
        foreach (var (member, entries) in _entries)
        {
            if (entries.Values.Count == 0) continue;
            var values = new GossipState.Types.GossipMemberState();
            foreach (var (key, value) in entries.Values) values.Values.Add(key, value);
            state.Members.Add(member, values);
        }

        return state;
    }

    /// <summary>One that never told what it has (null) lacks everything; else it wants what it names.</summary>
    static bool Lacks(IReadOnlyDictionary<string, long>? known, string member, out long after)
    {
        after = 0;
        return known is null || known.TryGetValue(member, out after);
    }

    bool IsSelf(string memberId) => string.Equals(memberId, Self, StringComparison.Ordinal);

    public static GossipLimitException? FindViolation(string key, Any? value)
    {
        if (key.Length is 0 or > GossipLimits.MaxKeyChars) return new GossipLimitException("characters of the key", key.Length, GossipLimits.MaxKeyChars);
        if (value is null) return new GossipLimitException("values", 0, 1);
        var bytes = value.CalculateSize();
        return bytes > GossipLimits.MaxValueBytes ? new GossipLimitException("bytes of the value", bytes, GossipLimits.MaxValueBytes) : null;
    }

    /// <summary>A member whose entries break the limits is not believed at all: others keep the same rules for what they set.</summary>
    static bool IsWellFormed(GossipState.Types.GossipMemberState values, MemberEntries entries) =>
        values.Values.All(value => value.Value.SequenceNumber > 0 && FindViolation(value.Key, value.Value.Value) is null)
        && values.Values.Count(value => !entries.Values.ContainsKey(value.Key)) + entries.Values.Count <= GossipLimits.MaxKeysPerMember;

    sealed class MemberEntries
    {
        public SortedDictionary<string, GossipKeyValue> Values { get; } = new(StringComparer.Ordinal);

        public long Known { get; set; }
    }
}
