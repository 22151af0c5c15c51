using ActorCluster.Protocol.Membership;

namespace ActorCluster.Membership;

/// <summary>What can be derived from the committed view: deltas, its hash, the bound on its tombstones.</summary>
public static class CommittedViews
{
    /// <summary>
    /// Most Removed records kept. The oldest go first, by the same rule in the coordinator's state and in every table, so
    /// that equal view numbers still mean equal content.
    /// </summary>
    public const int MaxTombstones = 256;

    /// <summary>Everything that changed in views above <paramref name="fromView"/>.</summary>
    public static ViewDelta DeltaSince(CommittedView view, ulong fromView)
    {
        // A record that was dropped since cannot be named as changed: then the delta must be everything.
        var full = fromView < view.PrunedView;
        if (full) fromView = 0;
        var delta = new ViewDelta
        {
            ClusterId = view.ClusterId,
            FromView = Math.Min(fromView, view.View),
            ToView = view.View,
            PrunedView = view.PrunedView,
            Full = full,
        };
        foreach (var record in view.Members)
            if (record.View > fromView) delta.Members.Add(record);
        if (view.Partitions is not null && view.PartitionsView > fromView)
        {
            delta.Partitions = view.Partitions;
            delta.PartitionsView = view.PartitionsView;
        }

        delta.CoordinatorVoters.Add(view.CoordinatorVoters);
        return delta;
    }

    /// <summary>Hash of the content; equal for equal views on every node.</summary>
    public static ulong Hash(CommittedView view) => view.View == 0 ? 0 : WireBytes.Chain(view.View, view);

    /// <summary>
    /// Drops Removed records beyond the limit, oldest view first (lower uid first within one view).
    /// </summary>
    /// <returns>The highest view of a dropped record, or 0.</returns>
    public static ulong PruneTombstones(SortedDictionary<ulong, MemberRecord> records)
    {
        List<MemberRecord>? removed = null;
        foreach (var record in records.Values)
            if (record.State == MemberState.Removed) (removed ??= []).Add(record);
        if (removed is null || removed.Count <= MaxTombstones) return 0;

        removed.Sort(static (a, b) => a.View != b.View ? a.View.CompareTo(b.View) : a.Node.Uid.CompareTo(b.Node.Uid));
        var drop = removed.Count - MaxTombstones;
        for (var i = 0; i < drop; i++) records.Remove(removed[i].Node.Uid);
        return removed[drop - 1].View;
    }
}
