using ActorCluster.Protocol;
using ActorCluster.Protocol.Raft;

namespace ActorCluster.Raft.Storage;

/// <summary>
/// Log and snapshots of a node, opened together and made to meet: after a crash between saving a snapshot and recording
/// it in the log, the snapshot is the newer one and the log is brought up to it (fault A11).
/// </summary>
public sealed class NodeStorage : IDisposable
{
    internal const string LogDirectory = "log";
    internal const string SnapshotDirectory = "snapshots";

    NodeStorage(NodeLog log, SnapshotStore snapshots, IReadOnlyList<RecoveredGroup> groups, IReadOnlyList<LogDamage> damages)
    {
        Log = log;
        Snapshots = snapshots;
        Groups = groups;
        Damages = damages;
    }

    public NodeLog Log { get; }

    public SnapshotStore Snapshots { get; }

    /// <summary>What is there of each group: a snapshot that can be opened, and the entries that follow it.</summary>
    public IReadOnlyList<RecoveredGroup> Groups { get; }

    /// <summary>What could not be read, by name. The groups that it concerns are suspect; the rest of the node works.</summary>
    public IReadOnlyList<LogDamage> Damages { get; }

    /// <summary>Opens both in their places below the data directory.</summary>
    /// <param name="files">The disk.</param>
    /// <param name="dataDirectory">The node's data directory.</param>
    /// <param name="options">Settings of the log.</param>
    /// <param name="ranBefore">
    /// This node may have voted: its log is there, or it is lost. A node that lost it must not go on under its uid (architecture,
    /// section 6).
    /// </param>
    /// <exception cref="StorageException">The log is gone, another version wrote it, or so much of it is damaged that it cannot go on. The message says what.</exception>
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
            var (groups, damages) = Meet(log, snapshots);
            return new NodeStorage(log, snapshots, groups, damages);
        }
        catch
        {
            log.Dispose();
            throw;
        }
    }

    public void Dispose() => Log.Dispose();

    static (List<RecoveredGroup> Groups, List<LogDamage> Damages) Meet(NodeLog log, SnapshotStore snapshots)
    {
        var groups = new List<RecoveredGroup>(log.Recovered.Count);
        var damages = new List<LogDamage>(log.Damages);
        var marks = new List<LogWrite>();
        foreach (var group in log.Recovered)
        {
            var mark = group.Snapshot;
            var damage = Verify(snapshots, group.Group, mark, out var newest);
            if (damage is not null)
            {
                damages.Add(damage);
                snapshots.PutAside(group.Group);
            }

            if (damage is not null && mark is not null)
            {
                // The log before the mark was released because of it: nothing is left to begin with.
                groups.Add(log.StartOver(group.Group, new Suspicion(damage.ToString())));
            }
            else if (newest is null || newest.Index == mark?.Index)
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

        log.Append(marks);
        log.Sync();
        // A snapshot of a group that the log does not know: the group is deleted, or it was never created here.
        foreach (var orphan in snapshots.Groups.Except(log.Recovered.Select(g => g.Group)).ToList()) snapshots.Delete(orphan);
        return (groups, damages);
    }

    /// <summary>What is wrong with a group's newest snapshot; null when all of it can be read and it is not older than the log's mark.</summary>
    static LogDamage? Verify(SnapshotStore snapshots, GroupId group, SnapshotMeta? mark, out SnapshotMeta? newest)
    {
        newest = null;
        try
        {
            var found = snapshots.Verify(group);
            if (mark is not null && (found is null || found.Index < mark.Index))
            {
                return new LogDamage(
                    SnapshotFormat.FileName(group, mark.Index, mark.Term), 0, group, mark.Index,
                    $"the log was released up to index {mark.Index}, but the snapshot that covers it is missing");
            }

            newest = found;
            return null;
        }
        catch (SnapshotDamagedException e)
        {
            return new LogDamage(Path.GetFileName(e.Path), 0, group, mark?.Index, e.Reason);
        }
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
