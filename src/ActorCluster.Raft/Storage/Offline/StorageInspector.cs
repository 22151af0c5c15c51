using ActorCluster.Protocol;
using ActorCluster.Protocol.Raft;

namespace ActorCluster.Raft.Storage.Offline;

/// <summary>Reads a data directory as a start would, and changes nothing.</summary>
public static class StorageInspector
{
    /// <param name="files">The disk.</param>
    /// <param name="dataDirectory">The node's data directory.</param>
    /// <param name="inUse">What the report says about a running node.</param>
    /// <exception cref="DirectoryNotFoundException">There is no log in the directory.</exception>
    /// <exception cref="StorageException">Another version wrote it, or not even its groups can be named.</exception>
    public static StorageReport Inspect(IFileSystem files, string dataDirectory, bool inUse)
    {
        var directory = Path.Combine(dataDirectory, NodeStorage.LogDirectory);
        if (!NodeLog.Exists(files, directory)) throw new DirectoryNotFoundException($"there is no log in '{directory}'");

        var records = new SortedDictionary<ulong, int>();
        var groupsOf = new SortedDictionary<ulong, SortedSet<ulong>>();
        using var votes = VoteCopy.OpenToRead(files, Path.Combine(directory, NodeLog.VotesDirectory));
        var recovery = new LogRecovery(files, directory, votes)
        {
            Observer = (place, header) =>
            {
                records[place.Segment] = records.GetValueOrDefault(place.Segment) + 1;
                if (!groupsOf.TryGetValue(place.Segment, out var groups)) groupsOf.Add(place.Segment, groups = []);
                groups.Add(header.Group);
            },
        };
        recovery.Run(NodeLog.SegmentsOf(files, directory));
        var recovered = recovery.ToGroups();
        var notes = recovery.Tails.ToDictionary(t => t.Group, t => t.ForcedRecovery);
        var damages = new List<LogDamage>(recovery.Damages);
        if (votes is not null) damages.AddRange(votes.Damages);

        var segments = recovery.Segments.Select(s => new SegmentReport(
            LogFormat.SegmentName(s.Key), s.Value, records.GetValueOrDefault(s.Key), [.. groupsOf.GetValueOrDefault(s.Key) ?? []]));
        var snapshots = NewestSnapshots(files, Path.Combine(dataDirectory, NodeStorage.SnapshotDirectory), damages);
        var groups = recovered.Select(g => Describe(g, snapshots.GetValueOrDefault(g.Group), notes[g.Group] ?? ""));
        return new StorageReport(
            dataDirectory, inUse, [.. segments], [.. groups],
            [.. damages.Select(d => new DamageReport(d.File, d.Offset, d.Group?.Value, d.Index, d.Reason))], recovery.HasTornTail);
    }

    static SortedDictionary<GroupId, SnapshotReport> NewestSnapshots(IFileSystem files, string directory, List<LogDamage> damages)
    {
        var newest = new SortedDictionary<GroupId, SnapshotReport>();
        foreach (var name in files.ListFiles(directory)) // in ordinal order: the newest of a group comes last
        {
            if (!SnapshotFormat.TryParseFileName(name, out var group, out var index, out var term)) continue;
            try
            {
                newest[group] = new SnapshotReport(name, index, term, SnapshotFormat.Verify(files, Path.Combine(directory, name), group).SizeBytes);
            }
            catch (SnapshotDamagedException e)
            {
                damages.Add(new LogDamage(name, 0, group, index, e.Reason));
            }
        }

        return newest;
    }

    static GroupReport Describe(RecoveredGroup group, SnapshotReport? snapshot, string forced)
    {
        var terms = new List<TermRange>();
        var configs = new List<ConfigReport> { Describe(group.Snapshot?.Index ?? 0, group.Snapshot?.Config ?? group.InitialConfig) };
        long bytes = 0;
        foreach (var entry in group.Entries)
        {
            bytes += entry.Payload.Length;
            if (terms.Count > 0 && terms[^1].Term == entry.Term) terms[^1] = terms[^1] with { Last = entry.Index };
            else terms.Add(new TermRange(entry.Term, entry.Index, entry.Index));
            if (entry.Kind == EntryKind.Config) configs.Add(Describe(entry.Index, GroupConfigs.ParseFrom(entry)));
        }

        return new GroupReport(
            group.Group.Value,
            group.Group == GroupId.Coordinator ? "coordinator" : $"partition {group.Group.Value - GroupId.FirstPartition}",
            group.HardState.Term,
            group.HardState.Vote.IsNone ? "" : group.HardState.Vote.ToString(),
            group.HardState.Commit,
            group.Entries.Count > 0 ? group.Entries[0].Index : 0,
            group.Entries.Count > 0 ? group.Entries[^1].Index : group.Snapshot?.Index ?? 0,
            group.Entries.Count > 0 ? group.Entries[^1].Term : group.Snapshot?.Term ?? 0,
            bytes, terms, configs, snapshot, group.Suspicion?.ToString() ?? "", forced);
    }

    static ConfigReport Describe(ulong index, GroupConfig config) =>
        new(index, Uids(config.Voters), Uids(config.OutgoingVoters), Uids(config.Learners.Concat(config.LearnersNext)));

    static List<string> Uids(IEnumerable<ulong> uids) => [.. uids.Select(u => new NodeUid(u).ToString())];
}
