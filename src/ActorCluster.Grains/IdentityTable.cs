using ActorCluster.Protocol;
using ActorCluster.Protocol.Membership;

namespace ActorCluster.Grains;

/// <summary>A member as the identity table needs it.</summary>
/// <param name="Uid">Of the data directory.</param>
/// <param name="Incarnation">Of the process.</param>
/// <param name="Authority">host:port of its cluster endpoint.</param>
/// <param name="State">As the reader of the member table sees it (Unreachable included).</param>
public sealed record IdentityMember(NodeUid Uid, ulong Incarnation, string Authority, MemberState State)
{
    /// <summary>A node that leaves still answers until it is gone.</summary>
    public bool IsReachable => State is MemberState.Joining or MemberState.Up or MemberState.Leaving;
}

/// <summary>
/// Where identities live, as far as this node knows. Pure: time is an input (milliseconds, monotonic); events are taken by
/// the shell. A cache, not a truth: the target refuses a stale epoch, and the entry goes.
/// Invariants: an entry's epoch never falls; every entry rests on a member that is reachable in the newest membership.
/// </summary>
/// <param name="capacity">Most entries; one more drops the least recently used.</param>
/// <param name="timeToLiveMs">How long an entry is trusted after it was learned, in milliseconds.</param>
public sealed class IdentityTable(int capacity = IdentityTable.DefaultCapacity, long timeToLiveMs = IdentityTable.DefaultTimeToLiveMs)
{
    public const int DefaultCapacity = 1024;
    public const long DefaultTimeToLiveMs = 300_000;

    /// <summary>Most authorities in quarantine, and most events kept until the shell takes them.</summary>
    public const int MaxQuarantined = 1024;

    readonly Dictionary<(string Kind, string Identity), LinkedListNode<Entry>> _entries = [];
    readonly LinkedList<Entry> _recent = []; // most recently used first
    readonly Dictionary<string, (long UntilMs, string Reason)> _quarantine = new(StringComparer.Ordinal);
    Dictionary<string, IdentityMember> _members = new(StringComparer.Ordinal);
    readonly Queue<IdentityEvent> _events = [];

    public int Count => _entries.Count;

    /// <summary>The newest membership seen.</summary>
    public ulong MembershipVersion { get; private set; }

    /// <summary>What happened since the last call, oldest first.</summary>
    public IReadOnlyList<IdentityEvent> TakeEvents()
    {
        IdentityEvent[] events = [.. _events];
        _events.Clear();
        return events;
    }

    /// <summary>
    /// Takes a membership in; an older one than the newest seen is ignored. Entries at members that left, became Unreachable
    /// or have another incarnation go; entries at all others stay.
    /// </summary>
    /// <returns>Whether it was news.</returns>
    public bool Update(ulong version, IEnumerable<IdentityMember> members, long nowMs)
    {
        if (version < MembershipVersion) return false;
        MembershipVersion = version;
        var now = new Dictionary<string, IdentityMember>(StringComparer.Ordinal);
        foreach (var member in members)
        {
            // Two members at one address: the reachable one, then the newer incarnation, is who answers there.
            if (!now.TryGetValue(member.Authority, out var other) || Rank(member).CompareTo(Rank(other)) > 0) now[member.Authority] = member;
        }

        _members = now;
        for (var node = _recent.First; node is not null;)
        {
            var next = node.Next;
            if (WhyVoid(node.Value) is { } reason) Drop(node, IdentityEventKind.Invalidated, reason, nowMs);
            node = next;
        }

        return true;

        static (bool, ulong) Rank(IdentityMember m) => (m.IsReachable, m.Incarnation);
    }

    /// <summary>Keeps what a look-up answered, unless a newer epoch is known already.</summary>
    /// <returns>Whether the table now holds it.</returns>
    public bool Learn(string kind, string identity, ActorPath path, Epoch epoch, long nowMs)
    {
        if (!_members.TryGetValue(path.Authority, out var member) || !member.IsReachable) return false;
        var eventKind = IdentityEventKind.Learned;
        if (_entries.TryGetValue((kind, identity), out var known))
        {
            if (epoch < known.Value.Epoch) return false;
            if (known.Value.Path == path)
            {
                known.Value.LearnedMs = nowMs;
                Use(known);
                return true;
            }

            eventKind = IdentityEventKind.Moved;
            Unlink(known);
        }

        while (_entries.Count >= capacity) Drop(_recent.Last!, IdentityEventKind.Evicted, $"more than {capacity} entries", nowMs);
        var entry = new Entry(kind, identity, path, epoch, member.Uid, member.Incarnation) { LearnedMs = nowMs };
        _entries[(kind, identity)] = _recent.AddFirst(entry);
        Publish(eventKind, entry.Subject, path, $"epoch {epoch}", nowMs);
        return true;
    }

    /// <summary>Where an identity lives. NotFound: look it up at its partition's leader, then <see cref="Learn"/>.</summary>
    public ResolveResult Resolve(string kind, string identity, long nowMs)
    {
        if (GrainAddress.CheckKind(kind) is { } invalid) return Result(ResolveStatus.InvalidFormat, invalid);
        if (identity.Length == 0) return Result(ResolveStatus.InvalidFormat, "identity is empty");
        if (!_entries.TryGetValue((kind, identity), out var known)) return Result(ResolveStatus.NotFound, $"{kind}/{identity} is not known here");
        if (nowMs - known.Value.LearnedMs >= timeToLiveMs)
        {
            Drop(known, IdentityEventKind.Evicted, $"older than {timeToLiveMs} ms", nowMs);
            return Result(ResolveStatus.NotFound, $"{kind}/{identity} was known, but too long ago");
        }

        Use(known);
        return At(known.Value.Path, known.Value.Epoch, nowMs);
    }

    /// <summary>Whether a PID in its text form, <c>{host}:{port}/{id}</c>, may be sent to.</summary>
    public ResolveResult ResolvePid(string text, long nowMs)
    {
        if (!ActorPath.TryParse(text, out var path, out var error)) return Result(ResolveStatus.InvalidFormat, error);
        var epoch = GrainAddress.TryParse(path.Id, out var grain, out _) ? grain.Epoch : Epoch.None;
        return At(path, epoch, nowMs);
    }

    /// <summary>The target refused an epoch: forgets it and everything older.</summary>
    /// <returns>Whether something was forgotten.</returns>
    public bool Refuse(string kind, string identity, Epoch refused, long nowMs)
    {
        if (!_entries.TryGetValue((kind, identity), out var known) || known.Value.Epoch > refused) return false;
        Drop(known, IdentityEventKind.Refused, $"epoch {refused} was refused", nowMs);
        return true;
    }

    /// <summary>Refuses resolutions to an authority until a time.</summary>
    public void Quarantine(string authority, long untilMs, string reason, long nowMs)
    {
        // Bounded: when full, the one that ends first ends now.
        if (!_quarantine.ContainsKey(authority) && _quarantine.Count >= MaxQuarantined)
            Lift(_quarantine.MinBy(q => (q.Value.UntilMs, q.Key)).Key, "too many authorities in quarantine", nowMs);
        _quarantine[authority] = (untilMs, reason);
        Publish(IdentityEventKind.Quarantined, authority, null, reason, nowMs);
    }

    /// <summary>Ends a quarantine by hand; none is fine.</summary>
    /// <returns>Whether there was one.</returns>
    public bool Lift(string authority, string reason, long nowMs)
    {
        if (!_quarantine.Remove(authority)) return false;
        Publish(IdentityEventKind.QuarantineEnded, authority, null, reason, nowMs);
        return true;
    }

    ResolveResult At(ActorPath path, Epoch epoch, long nowMs)
    {
        if (_quarantine.TryGetValue(path.Authority, out var quarantine))
        {
            if (nowMs < quarantine.UntilMs) return Result(ResolveStatus.Quarantined, $"{path.Authority} is in quarantine: {quarantine.Reason}");
            Lift(path.Authority, "its time is over", nowMs);
        }

        if (!_members.TryGetValue(path.Authority, out var member)) return Result(ResolveStatus.Unreachable, $"no member has the address {path.Authority}");
        return member.IsReachable
            ? new ResolveResult(ResolveStatus.Ready, path, epoch, "", MembershipVersion)
            : Result(ResolveStatus.Unreachable, $"node {member.Uid} at {path.Authority} is {member.State}");
    }

    string? WhyVoid(Entry entry)
    {
        if (!_members.TryGetValue(entry.Path.Authority, out var member)) return $"node {entry.Node} left";
        if (member.Uid != entry.Node) return $"node {entry.Node} is gone from {entry.Path.Authority}";
        if (member.Incarnation != entry.Incarnation) return $"node {entry.Node} has incarnation {member.Incarnation}, the entry's is {entry.Incarnation}";
        return member.IsReachable ? null : $"node {entry.Node} is {member.State}";
    }

    void Use(LinkedListNode<Entry> node)
    {
        _recent.Remove(node);
        _recent.AddFirst(node);
    }

    void Drop(LinkedListNode<Entry> node, IdentityEventKind kind, string reason, long nowMs)
    {
        Unlink(node);
        Publish(kind, node.Value.Subject, node.Value.Path, reason, nowMs);
    }

    void Unlink(LinkedListNode<Entry> node)
    {
        _recent.Remove(node);
        _entries.Remove((node.Value.Kind, node.Value.Identity));
    }

    void Publish(IdentityEventKind kind, string subject, ActorPath? path, string reason, long nowMs)
    {
        if (_events.Count >= MaxQuarantined) _events.Dequeue();
        _events.Enqueue(new IdentityEvent(kind, subject, path, reason, nowMs));
    }

    ResolveResult Result(ResolveStatus status, string reason) => new(status, null, Epoch.None, reason, MembershipVersion);

    sealed class Entry(string kind, string identity, ActorPath path, Epoch epoch, NodeUid node, ulong incarnation)
    {
        public string Kind => kind;

        public string Identity => identity;

        public ActorPath Path => path;

        public Epoch Epoch => epoch;

        public NodeUid Node => node;

        public ulong Incarnation => incarnation;

        public string Subject => $"{kind}/{identity}";

        public long LearnedMs { get; set; }
    }
}
