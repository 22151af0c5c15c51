using ActorCluster.Protocol.Raft;
using ActorCluster.Raft.Storage;

namespace ActorCluster.Raft.Tests.Interaction;

/// <summary>
/// A crash between "the snapshot is durable" and "its mark is durable in the log" leaves a newer snapshot than the log knows, and
/// the older one is gone. A snapshot only ever holds committed state, so the newer one is taken as if its mark had been written.
/// </summary>
static class SnapshotAdoption
{
    /// <summary>The recovered state with the newest snapshot as its base.</summary>
    public static RecoveredGroup Adopt(this RecoveredGroup recovered, SnapshotMeta? newest)
    {
        if (newest is null)
        {
            Invariant.Check(recovered.Snapshot is null, $"the log of {recovered.Group} begins after snapshot {recovered.Snapshot}, which is missing");
            return recovered;
        }

        Invariant.Check(
            recovered.Snapshot is null || newest.Index >= recovered.Snapshot.Index,
            $"the log of {recovered.Group} begins after snapshot {recovered.Snapshot?.Index}, the newest one is {newest.Index}");
        if (recovered.Snapshot is not null && newest.Index == recovered.Snapshot.Index) return recovered;

        // As for an installed snapshot (paper, section 7): what follows it stays if the log holds its last entry.
        var continues = recovered.Entries.Any(e => e.Index == newest.Index && e.Term == newest.Term);
        var hardState = recovered.HardState;

        // The leader that sent it had its term or a later one. This node cannot have voted in a term that its disk does not know.
        if (hardState.Term < newest.Term) hardState = new HardState(newest.Term, default, hardState.Commit);
        return recovered with
        {
            Snapshot = newest,
            HardState = hardState with { Commit = Math.Max(hardState.Commit, newest.Index) },
            Entries = continues ? [.. recovered.Entries.Where(e => e.Index > newest.Index)] : [],
        };
    }
}
