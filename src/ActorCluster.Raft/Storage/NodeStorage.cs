using ActorCluster.Protocol.Raft;

namespace ActorCluster.Raft.Storage;

/// <summary>
/// Log and snapshots of a node, opened together and made to meet: after a crash between saving a snapshot and recording
/// it in the log, the snapshot is the newer one and the log is brought up to it (fault A11).
/// </summary>
public sealed class NodeStorage : IDisposable
{
    const string LogDirectory = "log";
    const string SnapshotDirectory = "snapshots";

    NodeStorage(NodeLog log, SnapshotStore snapshots, IReadOnlyList<RecoveredGroup> groups)
    {
        Log = log;
        Snapshots = snapshots;
        Groups = groups;
    }

    public NodeLog Log { get; }

    public SnapshotStore Snapshots { get; }

    /// <summary>What is there of each group: a snapshot that can be opened, and the entries that follow it.</summary>
    public IReadOnlyList<RecoveredGroup> Groups { get; }

    /// <summary>Opens both in their places below the data directory.</summary>
    /// <param name="files">The disk.</param>
    /// <param name="dataDirectory">The node's data directory.</param>
    /// <param name="options">Settings of the log.</param>
    /// <param name="ranBefore">
    /// This node may have voted: its log is there, or it is lost. A node that lost it must not go on under its uid (architecture,
    /// section 6).
    /// </param>
    /// <exception cref="StorageException">Something that was durable is missing or cannot be read. The message says what.</exception>
    public static NodeStorage Open(IFileSystem files, string dataDirectory, NodeLogOptions? options = null, bool ranBefore = false)
    {
        files.CreateDirectory(dataDirectory);
        var snapshotDirectory = Path.Combine(dataDirectory, SnapshotDirectory);
        var logDirectory = Path.Combine(dataDirectory, LogDirectory);
        ranBefore |= files.ListFiles(snapshotDirectory).Any(n => SnapshotFormat.TryParseFileName(n, out _, out _, out _));
        if (ranBefore && !NodeLog.Exists(files, logDirectory))
        {
            throw new FileDamagedException(
                logDirectory,
                "the log is gone from the data directory of a node that took part in a cluster, and with it its terms and votes; empty the whole directory, so that it comes back as a new node");
        }

        var log = NodeLog.Open(files, logDirectory, options);
        try
        {
            var snapshots = new SnapshotStore(files, snapshotDirectory);
            return new NodeStorage(log, snapshots, Meet(log, snapshots, snapshotDirectory));
        }
        catch
        {
            log.Dispose();
            throw;
        }
    }

    public void Dispose() => Log.Dispose();

    static List<RecoveredGroup> Meet(NodeLog log, SnapshotStore snapshots, string snapshotDirectory)
    {
        var groups = new List<RecoveredGroup>(log.Recovered.Count);
        var marks = new List<LogWrite>();
        foreach (var group in log.Recovered)
        {
            var newest = snapshots.Newest(group.Group);
            if (newest is null || newest.Index < (group.Snapshot?.Index ?? 0))
            {
                if (group.Snapshot is { } mark)
                {
                    throw new SnapshotDamagedException(
                        Path.Combine(snapshotDirectory, SnapshotFormat.FileName(group.Group, mark.Index, mark.Term)), group.Group,
                        $"the log was released up to index {mark.Index}, but the snapshot that covers it is missing");
                }
                groups.Add(group);
            }
            else if (group.Snapshot is { } mark && mark.Index == newest.Index)
            {
                groups.Add(group);
            }
            else
            {
                // The snapshot may be of a later term than any that was recorded; no vote was given in that term then.
                var state = newest.Term > group.HardState.Term ? group.HardState with { Term = newest.Term, Vote = default } : group.HardState;
                marks.Add(new LogWrite(group.Group, state, Entries: [], Snapshot: newest));
                groups.Add(group with { HardState = state, Snapshot = newest, Entries = EntriesAfter(group, newest) });
            }
        }

        if (marks.Count > 0)
        {
            log.Append(marks);
            log.Sync();
        }
        // A snapshot of a group that the log does not know: the group is deleted, or it was never created here.
        foreach (var orphan in snapshots.Groups.Except(log.Recovered.Select(g => g.Group)).ToList()) snapshots.Delete(orphan);
        return groups;
    }

    /// <summary>The same decision as the log's: a log that holds the snapshot's last entry keeps what follows, any other is replaced.</summary>
    static IReadOnlyList<Entry> EntriesAfter(RecoveredGroup group, SnapshotMeta snapshot)
    {
        var at = group.Entries.Count == 0 || snapshot.Index < group.Entries[0].Index
            ? -1
            : (long)(snapshot.Index - group.Entries[0].Index);
        var holdsIt = at >= 0 && at < group.Entries.Count && group.Entries[(int)at].Term == snapshot.Term;
        return holdsIt ? [.. group.Entries.Skip((int)at + 1)] : [];
    }
}
