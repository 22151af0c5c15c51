using System.Globalization;
using ActorCluster.Raft;

namespace ActorCluster.Simulation.Groups;

/// <summary>
/// What one run is made of, drawn from its seed: sizes, speeds and a subset of the faults (swarm testing: Groce et al.,
/// 2012). Runs that leave a fault out go deeper into the others.
/// </summary>
public sealed record SwarmOptions
{
    public required ulong Seed { get; init; }

    public required int Nodes { get; init; }

    /// <summary>Voters of each group at the start; the other nodes wait to become members.</summary>
    public required int Voters { get; init; }

    public required int Groups { get; init; }

    public required int Clients { get; init; }

    /// <summary>Operations of each client before it rests.</summary>
    public required int OperationsPerClient { get; init; }

    public required int Keys { get; init; }

    public required int TickMicros { get; init; }

    /// <summary>Each node's clock runs up to this share faster or slower.</summary>
    public required double ClockSkew { get; init; }

    public required NetworkFaults Network { get; init; }

    /// <summary>Greatest ordinary duration of a write, and of a sync.</summary>
    public required int DiskMicros { get; init; }

    /// <summary>Greatest delay between commit and apply.</summary>
    public required int ApplyMicros { get; init; }

    /// <summary>Entries after which a replica takes a snapshot; 0: never.</summary>
    public required int SnapshotEntries { get; init; }

    /// <summary>Payload bytes of one append message: 1 makes every entry travel alone.</summary>
    public required int MaxAppendBytes { get; init; }

    public required int MaxInflightMessages { get; init; }

    /// <summary>Entries kept below a snapshot for followers that are a little behind.</summary>
    public required int KeepTailEntries { get; init; }

    /// <summary>Bytes of a log segment: small ones rotate often.</summary>
    public required int SegmentBytes { get; init; }

    /// <summary>Mean virtual time between two moves of the nemesis.</summary>
    public required int NemesisMicros { get; init; }

    /// <summary>What the nemesis may do.</summary>
    public required IReadOnlyList<NemesisMove> Moves { get; init; }

    /// <summary>Length of the phase in which things go wrong.</summary>
    public required long SafetyMicros { get; init; }

    /// <summary>Probability that a client uses no session and never repeats a write.</summary>
    public required double ClientsWithoutSession { get; init; }

    /// <summary>A fault put in on purpose.</summary>
    public InjectedFault Fault { get; init; }

    /// <summary>Checks inside the cluster too, not only what clients can see.</summary>
    public bool CheckInside { get; init; } = true;

    public static SwarmOptions Draw(ulong seed)
    {
        var random = new Xoshiro256(seed).Split(0x5a);
        var nodes = random.Next(20) switch { 0 => 1, 1 => 2, < 13 => 3, 13 => 4, < 18 => 5, 18 => 6, _ => 7 };
        var moves = new List<NemesisMove>();
        foreach (var move in Enum.GetValues<NemesisMove>())
            if (random.Chance(0.55)) moves.Add(move);
        // Of few voters, or of voters that change, the damaged ones could be a majority: such a group waits for an operator.
        if (nodes < 3) moves.Remove(NemesisMove.DamageDisk);
        else if (moves.Contains(NemesisMove.DamageDisk) && moves.Contains(NemesisMove.ChangeMembers)) moves.Remove(random.Chance(0.5) ? NemesisMove.DamageDisk : NemesisMove.ChangeMembers);
        var calm = random.Chance(0.15);
        return new SwarmOptions
        {
            Seed = seed,
            Nodes = nodes,
            Voters = random.Chance(0.6) || moves.Contains(NemesisMove.DamageDisk) ? nodes : random.Next(1, nodes + 1),
            Groups = random.Chance(0.02) ? random.Next(8, 33) : random.Next(1, nodes >= 5 ? 3 : 5),
            Clients = random.Next(2, 7),
            OperationsPerClient = random.Chance(0.7) ? random.Next(20, 60) : random.Next(100, 250),
            Keys = random.Next(1, 7),
            TickMicros = random.Next(10_000, 50_000),
            ClockSkew = random.Chance(0.5) ? 0 : 0.2,
            Network = new NetworkFaults(
                MinDelayMicros: random.Next(20, 500),
                MaxDelayMicros: random.Next(500, random.Chance(0.5) ? 5_000 : 60_000),
                Loss: calm || random.Chance(0.4) ? 0 : random.Next(1, 12) / 100.0,
                Duplicate: calm || random.Chance(0.4) ? 0 : random.Next(1, 10) / 100.0,
                Straggle: calm || random.Chance(0.4) ? 0 : random.Next(1, 10) / 100.0,
                MaxStraggleMicros: random.Next(10_000, 3_000_000)),
            DiskMicros = random.Next(100, random.Chance(0.7) ? 10_000 : 150_000),
            ApplyMicros = random.Next(1, random.Chance(0.7) ? 1_000 : 100_000),
            SnapshotEntries = random.Chance(0.3) ? 0 : random.Next(3, 40),
            MaxAppendBytes = random.Chance(0.4) ? 1 : random.Next(100, 5000),
            MaxInflightMessages = random.Chance(0.4) ? random.Next(1, 4) : 64,
            KeepTailEntries = random.Chance(0.5) ? 0 : random.Next(1, 20),
            SegmentBytes = random.Next(2, 17) * 4096,
            NemesisMicros = random.Next(150_000, 1_500_000),
            Moves = moves,
            SafetyMicros = random.Next(6, 16) * 1_000_000L,
            ClientsWithoutSession = random.Chance(0.5) ? 0 : 0.5,
        };
    }

    /// <summary>Longest rest of a client between two operations: spreads its work over the safety phase and a little beyond.</summary>
    public int ThinkMicros => (int)(SafetyMicros * 2 / OperationsPerClient);

    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"seed {Seed}: {Nodes} nodes, {Voters} voters at first, {Groups} groups, {Clients} clients × {OperationsPerClient} operations on {Keys} keys, tick {TickMicros} µs, "
        + $"network {Network.MinDelayMicros}..{Network.MaxDelayMicros} µs loss {Network.Loss} duplicate {Network.Duplicate} straggle {Network.Straggle}, "
        + $"disk {DiskMicros} µs, apply {ApplyMicros} µs, snapshot every {SnapshotEntries}, segments {SegmentBytes} B, "
        + $"appends up to {MaxAppendBytes} B, {MaxInflightMessages} in flight, tail {KeepTailEntries}, "
        + $"nemesis every {NemesisMicros} µs: {string.Join(' ', Moves)}; injected fault: {Fault}");
}

/// <summary>What the nemesis can do.</summary>
public enum NemesisMove
{
    /// <summary>Power loss of one node: unsynced writes survive in part.</summary>
    PowerLoss,

    /// <summary>kill -9 of one node: the kernel keeps what was written.</summary>
    Kill,

    /// <summary>Power loss of all nodes at the same time.</summary>
    PowerLossOfAll,

    /// <summary>Power loss of one node in the middle of its next few disk operations.</summary>
    PowerLossInDiskOperation,

    /// <summary>A sync of one node fails; it must stop by itself.</summary>
    SyncError,

    /// <summary>One node stands still (SIGSTOP, a long collection) and goes on with everything that waited for it.</summary>
    Pause,

    /// <summary>A symmetric partition.</summary>
    Partition,

    /// <summary>The leader of a group alone.</summary>
    IsolateLeader,

    /// <summary>One direction of one link.</summary>
    OneWayCut,

    /// <summary>One direction of one link becomes slow.</summary>
    SlowLink,

    /// <summary>A disk that takes seconds for a sync.</summary>
    DiskStall,

    /// <summary>A leader is asked to hand over.</summary>
    TransferLeadership,

    /// <summary>A group is to have other voters and learners.</summary>
    ChangeMembers,

    /// <summary>
    /// A new leader loses power, or is cut off, within its first few messages, and comes back soon: leaves logs with tails of
    /// many terms (paper, figure 8).
    /// </summary>
    StrikeNewLeader,

    /// <summary>
    /// One of a few nodes, the same all through the run, loses power, and finds durable bytes of its log, its snapshots or its second copy of
    /// votes damaged. A majority is never damaged: somebody must hold what was acknowledged.
    /// </summary>
    DamageDisk,

    /// <summary>A disk has no room for a while.</summary>
    DiskFull,

    /// <summary>A node is told that its connection to a leader broke: sometimes true, sometimes not.</summary>
    ConnectionHint,
}
