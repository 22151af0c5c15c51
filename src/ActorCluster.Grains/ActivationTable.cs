using ActorCluster.Raft;

namespace ActorCluster.Grains;

/// <summary>Where an activation is in its life.</summary>
public enum ActivationState
{
    /// <summary>Its state is being read.</summary>
    Activating,

    /// <summary>It takes messages.</summary>
    Active,

    /// <summary>It ends: the next request gets a new activation, with a higher epoch.</summary>
    Ended,
}

/// <summary>One activation of an identity on this node.</summary>
public sealed class Activation(string kind, string identity, uint partition, Epoch epoch, long nowMs)
{
    public string Kind => kind;

    public string Identity => identity;

    public uint Partition => partition;

    public Epoch Epoch => epoch;

    public GrainAddress Address { get; } = new(kind, identity, epoch);

    public ActivationState State { get; internal set; }

    long _lastUsedMs = nowMs;

    /// <summary>When it was last asked for or used, in milliseconds. Its own actor writes it while the table's reads it.</summary>
    public long LastUsedMs => Volatile.Read(ref _lastUsedMs);

    /// <summary>It was used just now.</summary>
    public void Used(long nowMs) => Volatile.Write(ref _lastUsedMs, nowMs);
}

/// <summary>
/// The activations of this node: only for partitions that it leads, at most one per identity, each with an epoch above all
/// before it. Pure; time is an input (milliseconds, monotonic).
/// </summary>
/// <param name="capacity">Most activations of this node.</param>
public sealed class ActivationTable(int capacity)
{
    readonly Dictionary<(string Kind, string Identity), Activation> _activations = [];
    readonly SortedDictionary<uint, Lead> _leads = [];

    public int Count => _activations.Count;

    public bool IsFull => _activations.Count >= capacity;

    public IEnumerable<Activation> All => _activations.Values;

    /// <summary>This node leads a partition and has applied its term's first entry: it may activate.</summary>
    /// <returns>What was active under an earlier term of this node, now ended.</returns>
    public IReadOnlyList<Activation> Led(uint partition, uint generation, ulong term)
    {
        if (_leads.TryGetValue(partition, out var lead) && (lead.Generation, lead.Term) == (generation, term)) return [];
        var ended = Lost(partition);
        _leads[partition] = new Lead(generation, term);
        return ended;
    }

    /// <summary>This node leads a partition no more: everything of it ends.</summary>
    public IReadOnlyList<Activation> Lost(uint partition)
    {
        if (!_leads.Remove(partition)) return [];
        // In the order of their epochs, so that what is stopped first does not depend on hashing.
        Activation[] ended = [.. _activations.Values.Where(a => a.Partition == partition).OrderBy(a => a.Epoch)];
        foreach (var activation in ended) End(activation);
        return ended;
    }

    /// <summary>The epoch under which the partition's own virtual actor (kind <c>kv</c>) lives, when this node leads it.</summary>
    public Epoch? LeaderEpoch(uint partition) => _leads.TryGetValue(partition, out var lead) ? new Epoch(lead.Generation, lead.Term, 1) : null;

    public Activation? Find(string kind, string identity) => _activations.GetValueOrDefault((kind, identity));

    /// <summary>Begins an activation. The partition must be led, the identity must not be active, the table must not be full.</summary>
    public Activation Begin(string kind, string identity, uint partition, long nowMs)
    {
        Invariant.Check(!IsFull, $"at most {capacity} activations");
        var lead = _leads[partition];
        lead.Activations++;
        var activation = new Activation(kind, identity, partition, new Epoch(lead.Generation, lead.Term, lead.Activations), nowMs);
        Invariant.Check(_activations.TryAdd((kind, identity), activation), $"{kind}/{identity} is active once only");
        return activation;
    }

    /// <summary>Its state is there: it takes messages. False when it ended meanwhile.</summary>
    public bool Activated(Activation activation)
    {
        if (activation.State != ActivationState.Activating) return false;
        activation.State = ActivationState.Active;
        return true;
    }

    /// <summary>Ends an activation; one that ended already is fine.</summary>
    public bool End(Activation activation)
    {
        if (activation.State == ActivationState.Ended) return false;
        activation.State = ActivationState.Ended;
        _activations.Remove((activation.Kind, activation.Identity));
        return true;
    }

    /// <summary>Active ones that nobody used for so long, longest first.</summary>
    public IReadOnlyList<Activation> IdleFor(long idleMs, long nowMs) =>
        [.. _activations.Values.Where(a => a.State == ActivationState.Active && nowMs - a.LastUsedMs >= idleMs).OrderBy(a => a.LastUsedMs).ThenBy(a => a.Epoch)];

    sealed class Lead(uint generation, ulong term)
    {
        public uint Generation => generation;

        public ulong Term => term;

        /// <summary>Counts from 2: 1 is the partition's own virtual actor.</summary>
        public ulong Activations { get; set; } = 1;
    }
}
