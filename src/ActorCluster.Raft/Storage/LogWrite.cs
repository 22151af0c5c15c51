using ActorCluster.Protocol;
using ActorCluster.Protocol.Raft;

namespace ActorCluster.Raft.Storage;

/// <summary>
/// One group's part of a batch for the node-wide log. Everything in it becomes durable together with the batch's sync.
/// </summary>
/// <param name="Group">The group it belongs to.</param>
/// <param name="HardState">The new hard state, or null when unchanged.</param>
/// <param name="Entries">
/// Contiguous entries to store, lowest index first. Entries of the group stored earlier with an index at or above the
/// first of these are superseded: recovery must never bring one of them back (faults A5, A6).
/// </param>
/// <param name="Snapshot">
/// A snapshot that is already durable in the snapshot store and covers the log up to its index: entries up to there may
/// be released. When the log does not contain (index, term) of it, the whole log of the group is superseded by it.
/// </param>
/// <param name="Config">The group's first configuration; given once, when the group is created on this node.</param>
/// <param name="Trusted">A leader has brought the replica up to everything that it may have held: it is suspect no more.</param>
/// <param name="Delete">The group no longer exists on this node; everything of it may be released.</param>
public sealed record LogWrite(
    GroupId Group,
    HardState? HardState,
    IReadOnlyList<Entry> Entries,
    SnapshotMeta? Snapshot = null,
    GroupConfig? Config = null,
    bool Trusted = false,
    bool Delete = false);
