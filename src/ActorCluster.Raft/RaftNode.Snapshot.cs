using ActorCluster.Protocol;
using ActorCluster.Protocol.Raft;

namespace ActorCluster.Raft;

// Snapshots (paper, section 7): compaction of the own log, sending to followers that are too far behind, installing.
public sealed partial class RaftNode
{
    SnapshotMeta? _snapshot;

    /// <summary>A snapshot from the leader that has not been given out yet.</summary>
    SnapshotMeta? _snapshotToInstall;

    /// <summary>
    /// A snapshot of this replica's own state is durable, and so is its mark in the node's log: the log below it may go, except a
    /// tail for followers that are a little behind, and what follows a snapshot that is on its way to one.
    /// </summary>
    public void SnapshotTaken(SnapshotMeta meta)
    {
        if (_snapshot is not null && meta.Index <= _snapshot.Index) return;
        Invariant.Check(meta.Index <= _log.Applied, $"a snapshot at {meta.Index} of a state at {_log.Applied}");
        Invariant.Check(_log.Matches(meta.Index, meta.Term), $"the snapshot's term {meta.Term} is not the log's at {meta.Index}");
        _snapshot = meta;
        _configs.ForgetBefore(meta.Index);

        var floor = meta.Index;
        if (_role == RaftRole.Leader)
        {
            foreach (var member in _members.All)
            {
                // Otherwise a slow follower would need the next snapshot whenever it has received one (faults E7).
                if (member.State == ProgressState.Snapshot) floor = Math.Min(floor, member.SnapshotIndex);
            }
        }

        _log.Compact(TailStart(floor));
    }

    /// <summary>The index up to which the log may go, so that a bounded tail up to <paramref name="index"/> stays.</summary>
    ulong TailStart(ulong index)
    {
        long bytes = 0;
        var entries = 0;
        while (index > _log.BaseIndex && entries < _config.KeepTailEntries)
        {
            bytes += RaftLog.SizeOf(_log[index]);
            if (bytes > _config.KeepTailBytes) break;
            entries++;
            index--;
        }

        return index;
    }

    void StartSnapshot(Progress to)
    {
        // To a node that is not there it would only be lost.
        if (to.HeardAtTick < ActiveSince) return;
        Invariant.Check(_snapshot is not null && _snapshot.Index >= _log.BaseIndex, $"entries up to {_log.BaseIndex} are gone without a snapshot");
        to.BecomeSnapshot(_snapshot.Index);
        to.Nudge = false;
        _snapshotsToSend.Add(new SnapshotToSend(to.Uid, _snapshot));
    }

    /// <summary>Whether a follower is waiting for a snapshot: if not, sending one may end.</summary>
    public bool IsSendingSnapshot(NodeUid to) => _role == RaftRole.Leader && _members.Find(to) is { State: ProgressState.Snapshot };

    /// <summary>A snapshot on its way to a follower moved on.</summary>
    public void SnapshotProgress(NodeUid to)
    {
        if (_members.Find(to) is not { } member) return;
        member.SnapshotIdleTicks = 0;
        member.HeardAtTick = _ticks;
    }

    /// <summary>A snapshot was delivered to a follower, or was given up.</summary>
    public void SnapshotSent(NodeUid to, bool delivered)
    {
        if (_role != RaftRole.Leader || _members.Find(to) is not { State: ProgressState.Snapshot } member) return;
        EndSnapshot(member, delivered);
    }

    /// <summary>
    /// Goes on with appends once the follower is heard again: its acknowledgement when the snapshot is durable there, or its
    /// answer to a heartbeat.
    /// </summary>
    void EndSnapshot(Progress member, bool delivered)
    {
        if (!delivered) member.AbortSnapshot();
        member.BecomeProbe();
        member.Paused = true;
    }

    void TickSnapshots()
    {
        foreach (var member in _members.All)
        {
            if (member.State == ProgressState.Snapshot && ++member.SnapshotIdleTicks >= _config.SnapshotTimeoutTicks) EndSnapshot(member, delivered: false);
        }
    }

    /// <summary>Done: the last chunk arrived, and the whole is durable in the snapshot store. Otherwise it only keeps the leader heard.</summary>
    void HandleInstallSnapshot(InstallSnapshot install, NodeUid from)
    {
        FollowLeader(from);
        if (install.Done) SnapshotReceived(install.Meta);
    }

    /// <summary>
    /// A snapshot that a leader sent is complete and durable in the snapshot store. It holds committed state, so it is good even if
    /// that leader leads no more.
    /// </summary>
    public void SnapshotReceived(SnapshotMeta meta)
    {
        if (meta.Index > _log.Committed) InstallSnapshot(meta);
        if (!_leader.IsNone && _leader != Self) PromiseAppended(_leader, _log.Committed);
    }

    void InstallSnapshot(SnapshotMeta meta)
    {
        if (_log.Matches(meta.Index, meta.Term))
        {
            // Section 7: the log holds it already; what follows stays valid.
            if (_role == RaftRole.Leader) CommitOwn(meta.Index);
            else _log.CommitTo(meta.Index);
            return;
        }

        Invariant.Check(_role != RaftRole.Leader, $"a leader's log does not hold {meta.Term}/{meta.Index}, which is committed");
        _log.Reset(meta.Index, meta.Term);
        foreach (var write in _writes) write.ReachesTo = Math.Min(write.ReachesTo, meta.Index - 1);
        _configs.Reset(meta.Index, meta.Config);
        UseCurrentConfig();
        _snapshot = _snapshotToInstall = meta;
    }
}
