using ActorCluster.Protocol;
using ActorCluster.Protocol.Raft;

namespace ActorCluster.Raft.Storage;

/// <summary>
/// What the node-wide log holds of a group when a node starts.
/// Invariant: entries are contiguous and, when there is a snapshot, the first one follows it directly (faults A11).
/// </summary>
/// <param name="Group">The group.</param>
/// <param name="HardState">Last durable term and vote.</param>
/// <param name="InitialConfig">The configuration it was created with.</param>
/// <param name="Snapshot">The snapshot that the log starts after, or null when it starts at index 1.</param>
/// <param name="Entries">The entries after the snapshot, lowest index first.</param>
/// <param name="Suspicion">Why nothing may be built on this replica yet; null when all that it promised is here.</param>
public sealed record RecoveredGroup(
    GroupId Group,
    HardState HardState,
    GroupConfig InitialConfig,
    SnapshotMeta? Snapshot,
    IReadOnlyList<Entry> Entries,
    Suspicion? Suspicion = null);
