using ActorCluster.Protocol;
using ActorCluster.Protocol.Raft;
using ActorCluster.Raft.Storage;

namespace ActorCluster.Raft.Actors;

// Snapshots: taking them, sending them to followers that are too far behind, receiving and installing them.
sealed partial class RaftGroupActor
{
    readonly List<SnapshotSender> _senders = [];
    SnapshotReceiver? _receiver;

    /// <summary>The store takes one snapshot of a group at a time.</summary>
    bool _saving;

    /// <summary>A received snapshot waits for the next flush to be restored: until then no newer one may take its file's place.</summary>
    bool _restoring;

    /// <summary>The newest snapshot in the store, marked in the log or not: no older one may follow it.</summary>
    ulong _newestSnapshotIndex;

    long _noSnapshotBeforeTick;
    long _snapshotBytes;
    long _bytesSinceSnapshot;
    long _entriesSinceSnapshot;

    void MaybeTakeSnapshot()
    {
        var index = _core.AppliedIndex;
        if (_saving || index <= _newestSnapshotIndex || _ticks < _noSnapshotBeforeTick) return;
        if (_entriesSinceSnapshot < _host.Options.SnapshotEntries && _bytesSinceSnapshot < Math.Max(_host.Options.SnapshotBytes, _snapshotBytes)) return;

        var captured = _stateMachine.Capture();
        Invariant.Check(captured.AppliedIndex == index, $"a state captured at {captured.AppliedIndex} instead of {index}");
        _entriesSinceSnapshot = 0;
        _bytesSinceSnapshot = 0;
        var meta = new SnapshotMeta { Index = index, Term = _core.TermAt(index)!.Value, Config = _core.ConfigAt(index).Clone() };
        Save(meta, captured.WriteTo, static saved => new SnapshotSaved(saved));
    }

    void Save(SnapshotMeta meta, Action<Stream> write, Func<SnapshotMeta, object> report)
    {
        _saving = true;
        var (root, self, store, group) = (_context.System.Root, _context.Self, _host.Snapshots, _core.Group);
        _host.RunBlocking(() =>
        {
            object result;
            try
            {
                result = report(store.Save(group, meta, write));
            }
            catch (DiskFullException e)
            {
                result = new SnapshotRefused(e);
            }
            catch (Exception e)
            {
                result = new WorkFailed(e);
            }

            root.Send(self, result);
        });
    }

    /// <summary>The log stays as long as it is; a leader sends its snapshot again.</summary>
    void GiveUpSnapshot(DiskFullException reason)
    {
        _saving = false;
        _receiver = DropReceiver();
        _entriesSinceSnapshot = _host.Options.SnapshotEntries;
        _noSnapshotBeforeTick = _ticks + 10 * _host.Options.ElectionTicks;
        RaftLogging.NoRoomForSnapshot(_logger, reason, _core.Group);
    }

    void MarkSnapshot(SnapshotMeta meta)
    {
        _newestSnapshotIndex = meta.Index;
        var (root, self) = (_context.System.Root, _context.Self);
        _host.Log.Submit(new LogWrite(_core.Group, null, [], Snapshot: meta), () => root.Send(self, new SnapshotMarked(meta)));
    }

    void FinishSnapshot(SnapshotMeta meta)
    {
        _saving = false;
        _snapshotBytes = (long)meta.SizeBytes;
        _core.SnapshotTaken(meta);
        UpdateStatus();
        RaftLogging.SnapshotTaken(_logger, _core.Group, meta.Index, meta.SizeBytes);
    }

    void SendSnapshot(SnapshotToSend snapshot)
    {
        StopSending(snapshot.To);
        if (_saving)
        {
            // The newest is about to be another one; the core asks again once the follower is heard again.
            _core.SnapshotSent(snapshot.To, delivered: false);
            return;
        }

        // The store keeps only the newest, which may be newer than the one that the core knows.
        var meta = _host.Snapshots.Newest(_core.Group);
        Invariant.Check(meta is not null && meta.Index >= snapshot.Meta.Index, $"snapshot {snapshot.Meta.Index} is not in the store");
        var sender = new SnapshotSender(snapshot.To, meta, _host.Snapshots.Open(_core.Group, meta), _host.Options.SnapshotChunkBytes);
        _senders.Add(sender);
        sender.Begin();
        RaftLogging.SnapshotGoes(_logger, _core.Group, meta.Index, snapshot.To);
        SendChunk(sender);
    }

    void SendChunk(SnapshotSender sender) => Send(new RaftMessage
    {
        Group = _core.Group.Value,
        From = _core.Self.Value,
        To = sender.To.Value,
        Term = _core.Term,
        InstallSnapshot = sender.Chunk(),
    });

    void ConfirmChunk(RaftMessage message)
    {
        var from = new NodeUid(message.From);
        var sender = _senders.Find(s => s.To == from);

        // The core may have lost leadership before this, with the flush that says so still to come: a chunk sent now, in the new term,
        // would name this replica as that term's leader.
        if (sender is null || !_core.IsSendingSnapshot(from) || message.To != _core.Self.Value || message.SnapshotChunkResponse.Index != sender.Meta.Index) return;
        _core.SnapshotProgress(from);
        if (sender.Confirm(message.SnapshotChunkResponse.NextOffset)) SendChunk(sender);
        if (!sender.Delivered && !sender.MustBeginAgain) return;
        StopSending(from);
        _core.SnapshotSent(from, sender.Delivered);
    }

    void TickSnapshots()
    {
        _senders.RemoveAll(sender =>
        {
            if (_core.IsSendingSnapshot(sender.To)) return false;
            sender.Dispose();
            return true;
        });

        foreach (var sender in _senders)
        {
            // The core gives up a follower that does not answer at all; until then a chunk may only have been lost.
            if (++sender.WaitedTicks >= _host.Options.SnapshotResendTicks) SendChunk(sender);
        }
    }

    void StopSending(NodeUid to)
    {
        _senders.RemoveAll(sender =>
        {
            if (sender.To != to) return false;
            sender.Dispose();
            return true;
        });
    }

    void StopSending()
    {
        foreach (var sender in _senders) sender.Dispose();
        _senders.Clear();
    }

    void ReceiveChunk(RaftMessage message)
    {
        var chunk = message.InstallSnapshot;

        // The core checks term and sender, and hears its leader; it sees the content's end only once all of it is durable here.
        _core.Step(WithoutData(message, done: chunk.Meta.Index <= _core.CommitIndex));
        if (message.Term != _core.Term || message.From != _core.Leader.Value || chunk.Meta.Index <= _core.CommitIndex) return;

        try
        {
            Collect(message, chunk);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Nothing durable is kept there: the leader sends again, and perhaps there is room then.
            RaftLogging.ScratchFailed(_logger, e, _core.Group, chunk.Meta.Index, _host.Options.ScratchDirectory);
            _receiver = DropReceiver();
        }
    }

    void Collect(RaftMessage message, InstallSnapshot chunk)
    {
        if (_receiver is null || !_receiver.IsOf(message.From, chunk.Meta))
        {
            if (_saving) return; // the chunk comes again
            _receiver = DropReceiver();
            _receiver = new SnapshotReceiver(message.From, chunk.Meta, _host.Options.ScratchDirectory, $"snapshot-{_core.Self}-{_core.Group.Value}-{chunk.Meta.Index}");
        }

        if (_receiver.Complete) return; // being saved
        if (chunk.Offset == _receiver.Offset)
        {
            _receiver.Append(chunk.Data.Span);
            if (chunk.Done)
            {
                // Not while another snapshot is being saved, and never an older one after a newer: then the last chunk comes again.
                if (!_saving && !_restoring && chunk.Meta.Index > _newestSnapshotIndex) SaveReceived(message);
                else _receiver = DropReceiver();
                return; // answered once it is saved
            }
        }

        AnswerChunk(message, _receiver.Offset);
    }

    SnapshotReceiver? DropReceiver()
    {
        _receiver?.Dispose();
        return null;
    }

    void SaveReceived(RaftMessage message)
    {
        _receiver!.Complete = true;
        var last = WithoutData(message, done: true);
        Save(_receiver.Meta.Clone(), _receiver.CopyTo, saved =>
        {
            last.InstallSnapshot.Meta = saved;
            return new SnapshotReceived(last);
        });
    }

    void InstallReceived(RaftMessage last)
    {
        var end = _receiver?.Offset ?? 0;
        _saving = false;
        _newestSnapshotIndex = last.InstallSnapshot.Meta.Index;
        _receiver = DropReceiver();

        _core.SnapshotReceived(last.InstallSnapshot.Meta);
        _restoring = _core.HasReady;
        AnswerChunk(last, end);
    }

    void AnswerChunk(RaftMessage message, ulong nextOffset) => Send(new RaftMessage
    {
        Group = message.Group,
        From = message.To,
        To = message.From,
        Term = _core.Term,
        SnapshotChunkResponse = new SnapshotChunkResponse { Index = message.InstallSnapshot.Meta.Index, NextOffset = nextOffset },
    });

    static RaftMessage WithoutData(RaftMessage message, bool done) => new()
    {
        Group = message.Group,
        From = message.From,
        To = message.To,
        Term = message.Term,
        InstallSnapshot = new InstallSnapshot { Meta = message.InstallSnapshot.Meta, Done = done },
    };

    /// <summary>The state machine becomes what the snapshot says, before any later entry is applied.</summary>
    void Restore(SnapshotMeta meta)
    {
        using (var content = _host.Snapshots.Open(_core.Group, meta)) _stateMachine.Restore(content);
        Invariant.Check(_stateMachine.AppliedIndex == meta.Index, $"the state restored from snapshot {meta.Index} stands at {_stateMachine.AppliedIndex}");
        _snapshotBytes = (long)meta.SizeBytes;
        _entriesSinceSnapshot = 0;
        _bytesSinceSnapshot = 0;
        _core.Applied(meta.Index);

        // Whether they are in the snapshot cannot be told.
        AbandonProposals(ErrorCode.NotLeader, "leadership was lost before the proposal was known to be committed");
        RaftLogging.SnapshotInstalled(_logger, _core.Group, meta.Index);
    }
}
