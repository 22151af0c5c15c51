using ActorCluster.Protocol;
using ActorCluster.Protocol.Raft;

namespace ActorCluster.Raft.Storage;

/// <summary>
/// Snapshot files of all groups of a node. A snapshot exists once <see cref="Save"/> returned: written to a temporary
/// file, synced, renamed, directory synced (faults A12, A13). Only the newest of a group is kept, and an older one goes
/// only when the newer is durable.
/// </summary>
public interface ISnapshotStore
{
    /// <summary>Writes the content and makes it durable; returns the meta with its size.</summary>
    SnapshotMeta Save(GroupId group, SnapshotMeta meta, Action<Stream> write);

    /// <summary>The newest valid snapshot of a group, or null.</summary>
    SnapshotMeta? Newest(GroupId group);

    /// <summary>Opens the content of the group's newest snapshot. Reading fails on a checksum mismatch.</summary>
    Stream Open(GroupId group, SnapshotMeta meta);

    void Delete(GroupId group);
}
