using ActorCluster.Protocol;
using ActorCluster.Protocol.Raft;
using ActorCluster.Raft;
using ActorCluster.Raft.Storage;
using ActorCluster.Simulation.Histories;

namespace ActorCluster.Simulation.Groups;

/// <summary>
/// The shell around one core: what a group actor is in a real node, one step at a time. Sends, writes, applies, answers
/// clients, takes and ships snapshots. Lives as long as its node's process.
/// </summary>
sealed class SimReplica
{
    readonly SimNode _node;
    readonly GroupSimulation _simulation;
    readonly SimMachine _machine;
    readonly Dictionary<ulong, Waiting> _proposals = [];
    readonly Dictionary<ulong, ClientRequest> _reads = [];
    readonly List<(ulong Index, ClientRequest Request)> _confirmedReads = [];
    readonly Queue<object> _toApply = new();
    readonly SortedDictionary<ulong, SnapshotSender> _sending = [];
    SnapshotReceiver? _receiving;
    bool _applying;
    bool _snapshotting;
    ulong _commitSeen;
    ulong _snapshotAt;
    Leadership _leadership;

    public SimReplica(SimNode node, GroupSimulation simulation, RecoveredGroup recovered, SnapshotStore snapshots)
    {
        _node = node;
        _simulation = simulation;
        Group = recovered.Group;
        _machine = new SimMachine(simulation.Options.Fault);
        if (recovered.Snapshot is { } snapshot)
        {
            using var content = snapshots.Open(Group, snapshot);
            _machine.Restore(content);
            OracleCheck(_machine.AppliedIndex == snapshot.Index, $"snapshot {snapshot.Index} holds the state after {_machine.AppliedIndex}");
            _snapshotAt = snapshot.Index;
        }

        if (simulation.Options.Fault == InjectedFault.ForgetVoteOnRestart)
            recovered = recovered with { HardState = recovered.HardState with { Vote = NodeUid.None } };
        if (simulation.Options.Fault == InjectedFault.TrustDamagedLog) recovered = recovered with { Suspicion = null };
        var config = new RaftConfig(Group, node.Uid)
        {
            HeartbeatTicks = 2,
            ElectionTicks = 10,
            MaxAppendBytes = simulation.Options.MaxAppendBytes,
            MaxInflightMessages = simulation.Options.MaxInflightMessages,
            KeepTailEntries = simulation.Options.KeepTailEntries,
            MaxCommittedEntriesPerReady = 16,
        };
        Core = new RaftNode(config, recovered, _machine.AppliedIndex, node.RandomFor($"core/{Group}"));
        _commitSeen = Core.CommitIndex;
    }

    public GroupId Group { get; }

    public RaftNode Core { get; }

    public ulong AppliedIndex => _machine.AppliedIndex;

    public bool IsIdle => _toApply.Count == 0 && !_applying && Core.AppliedIndex == Core.CommitIndex;

    public void Tick()
    {
        Core.Tick();
        foreach (var (to, sender) in _sending.ToList())
        {
            var (resend, giveUp) = sender.Tick();
            if (giveUp) EndSending(to, delivered: false);
            else if (resend) SendChunk(to, sender);
        }
    }

    /// <summary>A message of another replica arrived.</summary>
    public void Receive(RaftMessage message)
    {
        switch (message.BodyCase)
        {
            case RaftMessage.BodyOneofCase.InstallSnapshot:
                ReceiveChunk(message);
                break;
            case RaftMessage.BodyOneofCase.SnapshotChunkResponse:
                ChunkArrived(message);
                break;
            case RaftMessage.BodyOneofCase.AppendRequest when _node.IsNearlyOutOfSpace && message.AppendRequest.Entries.Any(e => e.Kind == EntryKind.Command):
                _simulation.Coverage.Count("append refused for want of room");
                break;
            default:
                Core.Step(message);
                break;
        }

        Pump();
    }

    /// <summary>A client's request arrived.</summary>
    public void Receive(ClientRequest request)
    {
        if (request.Kind == OperationKind.Get && !request.OpensSession)
        {
            var fault = _simulation.Options.Fault;
            var knowsCommit = Core.TermAt(Core.CommitIndex) == Core.Term;
            if (Core.Role == RaftRole.Leader
                && (fault == InjectedFault.ReadWithoutQuorum || (fault == InjectedFault.ReadBeforeOwnCommit && !knowsCommit)))
            {
                AnswerRead(request);
                return;
            }

            if (Core.Role != RaftRole.Leader) _simulation.Coverage.Count("read at a follower");
            var readId = _node.NextReadId();
            _reads.Add(readId, request);
            Core.ReadIndex(readId);
        }
        else
        {
            var receipt = _node.IsShortOfSpace ? default : Core.Propose(SimMachine.Encode(request));
            if (!_node.IsShortOfSpace && receipt.Accepted) _proposals[receipt.Index] = new Waiting(receipt.Term, request);
            else _node.Answer(new ClientReply(request, OperationOutcome.NotExecuted, null, 0));
        }

        Pump();
    }

    /// <summary>A write of the core is durable (or the injected fault says so).</summary>
    public void Durable(StorageWrite write)
    {
        Core.Durable(write);
        Pump();
    }

    /// <summary>Does everything that the core wants done.</summary>
    public void Pump()
    {
        if (_simulation.Options.Fault == InjectedFault.CommitOldTermByCounting) OldTermCommit.Apply(Core);
        while (Core.HasReady)
        {
            var ready = Core.TakeReady();
            foreach (var message in ready.Messages)
            {
                _simulation.Oracle.Sent(Group, _node.Uid, message);
                _node.Send(message);
            }

            if (ready.Write is { } write)
            {
                _simulation.Oracle.Written(Group, Core, write.Log);
                CountConflict(write.Log);
                _node.Write(this, write);
            }

            if (ready.SnapshotToInstall is { } install) _toApply.Enqueue(install);
            foreach (var entry in ready.Committed) _toApply.Enqueue(entry);
            foreach (var read in ready.Reads) ReadEnded(read);
            foreach (var snapshot in ready.SnapshotsToSend) StartSending(snapshot);
            if (ready.LeadershipChange is { } change) LeadershipChanged(change);
            if (_simulation.Options.Fault == InjectedFault.CommitOldTermByCounting) OldTermCommit.Apply(Core);
        }

        if (Core.CommitIndex > _commitSeen)
        {
            _commitSeen = Core.CommitIndex;
            _simulation.Oracle.CommitMoved(Group, Core);
            if (Core.Role == RaftRole.Leader) _simulation.Nemesis.LeaderCommitted(_node);
            _simulation.Trace("commit index term", _node, Group, Core.CommitIndex, Core.Term);
        }

        ScheduleApply();
        AnswerReads();
    }

    /// <summary>The state after the last applied entry, as a snapshot writes it.</summary>
    public byte[] StateBytes()
    {
        var bytes = new MemoryStream();
        _machine.Capture().WriteTo(bytes);
        return bytes.ToArray();
    }

    void LeadershipChanged(Leadership change)
    {
        _simulation.Trace($"{change.Role} term leader", _node, Group, change.Term, change.Leader.Value);
        if (change.Role == RaftRole.Leader && (_leadership.Role != RaftRole.Leader || _leadership.Term != change.Term))
        {
            _simulation.Oracle.BecameLeader(Group, Core);
            _simulation.Nemesis.LeaderElected(_node);
        }

        if (_leadership.Role == RaftRole.Leader && change.Role != RaftRole.Leader) LostLeadership();
        _leadership = change;
    }

    void LostLeadership()
    {
        _simulation.Coverage.Count("leader stepped down");
        if (_simulation.Options.Fault == InjectedFault.WakeByIndexOnly) return;
        foreach (var waiting in _proposals.Values)
        {
            // It is in a log, perhaps in others too: a later leader may commit it.
            var outcome = _simulation.Options.Fault == InjectedFault.ReportLostLeadershipAsNotExecuted
                ? OperationOutcome.NotExecuted
                : OperationOutcome.Unknown;
            _node.Answer(new ClientReply(waiting.Request, outcome, null, 0));
        }

        _proposals.Clear();
    }

    void ScheduleApply()
    {
        if (_applying || _toApply.Count == 0) return;
        _applying = true;
        _node.After(_node.Draw("apply", _simulation.Options.ApplyMicros), () =>
        {
            _applying = false;
            Apply();
            Pump();
        });
    }

    void Apply()
    {
        // What a later snapshot replaces is not applied any more: only the newest snapshot's file is kept.
        for (var snapshots = _toApply.Count(i => i is SnapshotMeta); snapshots > 1 || (snapshots == 1 && _toApply.Peek() is Entry);)
        {
            if (_toApply.Dequeue() is SnapshotMeta) snapshots--;
        }

        while (_toApply.TryDequeue(out var next))
        {
            if (next is SnapshotMeta snapshot) Install(snapshot);
            else Apply((Entry)next);
        }

        Core.Applied(_machine.AppliedIndex);
        MaybeTakeSnapshot();
    }

    void Apply(Entry entry)
    {
        var result = _machine.Apply(entry);
        var hash = result is Google.Protobuf.IMessage message ? StableHash.Of(Google.Protobuf.MessageExtensions.ToByteArray(message)) : 0;
        _simulation.Oracle.Applied(Group, _node.Uid, entry, hash);
        if (!_proposals.Remove(entry.Index, out var waiting)) return;
        var mine = waiting.Term == entry.Term || _simulation.Options.Fault == InjectedFault.WakeByIndexOnly;
        if (mine && entry.Kind != EntryKind.Command)
            _node.Answer(new ClientReply(waiting.Request, OperationOutcome.Ok, null, 0));
        else if (mine)
            _node.Answer(SimMachine.Decode(waiting.Request, result));
        else
            _node.Answer(new ClientReply(waiting.Request, OperationOutcome.NotExecuted, null, 0));
    }

    void Install(SnapshotMeta snapshot)
    {
        using var content = _node.Snapshots.Open(Group, snapshot);
        _machine.Restore(content);
        OracleCheck(_machine.AppliedIndex == snapshot.Index, $"snapshot {snapshot.Index} holds the state after {_machine.AppliedIndex}");
        _snapshotAt = snapshot.Index;
        _simulation.Coverage.Count("snapshot installed");
        _simulation.Trace("installed snapshot index term", _node, Group, snapshot.Index, snapshot.Term);
        // Entries at or below it were superseded: whether they were this replica's proposals cannot be known here.
        foreach (var index in _proposals.Keys.Where(i => i <= snapshot.Index).ToList())
        {
            if (_proposals.Remove(index, out var waiting)) _node.Answer(new ClientReply(waiting.Request, OperationOutcome.Unknown, null, 0));
        }
    }

    void MaybeTakeSnapshot()
    {
        var every = (ulong)_simulation.Options.SnapshotEntries;
        if (every == 0 || _snapshotting || _machine.AppliedIndex < _snapshotAt + every) return;
        _snapshotting = true;
        var captured = _machine.Capture();
        var meta = new SnapshotMeta { Index = captured.AppliedIndex, Term = _machine.AppliedTerm, Config = Core.ConfigAt(captured.AppliedIndex) };
        // Written out while applying goes on, as another thread would.
        _node.After(_node.Draw("snapshot", _simulation.Options.DiskMicros * 4), () =>
        {
            _snapshotting = false;
            if (_node.Snapshots.Newest(Group)?.Index >= meta.Index) return;
            _simulation.Oracle.Captured(Group, _node.Uid, meta.Index, HashOf(captured));
            SnapshotMeta saved;
            try
            {
                saved = _node.Snapshots.Save(Group, meta, captured.WriteTo);
            }
            catch (DiskFullException)
            {
                return; // it tries again after the next entry
            }

            _snapshotAt = saved.Index;
            _simulation.Trace("took snapshot index term", _node, Group, saved.Index, saved.Term);
            _node.WriteMark(this, saved);
        });
    }

    /// <summary>The mark of an own snapshot is durable in the log.</summary>
    public void SnapshotMarked(SnapshotMeta meta)
    {
        Core.SnapshotTaken(meta);
        Pump();
    }

    void ReadEnded(FinishedRead read)
    {
        if (!_reads.Remove(read.ReadId, out var request)) return;
        if (read.Rejected) _node.Answer(new ClientReply(request, OperationOutcome.NotExecuted, null, 0));
        else _confirmedReads.Add((read.Index, request));
    }

    void AnswerReads()
    {
        for (var i = _confirmedReads.Count - 1; i >= 0; i--)
        {
            if (_confirmedReads[i].Index > _machine.AppliedIndex) continue;
            AnswerRead(_confirmedReads[i].Request);
            _confirmedReads.RemoveAt(i);
        }
    }

    void AnswerRead(ClientRequest request) => _node.Answer(new ClientReply(request, OperationOutcome.Ok, _machine.Get(request.Key), 0));

    void StartSending(SnapshotToSend snapshot)
    {
        var meta = _node.Snapshots.Newest(Group)!;
        var content = new MemoryStream();
        using (var stream = _node.Snapshots.Open(Group, meta)) stream.CopyTo(content);
        var sender = new SnapshotSender(meta, content.ToArray());
        _sending[snapshot.To.Value] = sender;
        SendChunk(snapshot.To.Value, sender);
    }

    void SendChunk(ulong to, SnapshotSender sender)
    {
        if (Core.Role != RaftRole.Leader)
        {
            _sending.Remove(to);
            return;
        }

        _node.Send(new RaftMessage { Group = Group.Value, From = _node.Uid.Value, To = to, Term = Core.Term, InstallSnapshot = sender.Chunk() });
    }

    void ChunkArrived(RaftMessage message)
    {
        if (!_sending.TryGetValue(message.From, out var sender) || sender.Meta.Index != message.SnapshotChunkResponse.Index) return;
        if (!sender.Advance(message.SnapshotChunkResponse.NextOffset)) return;
        Core.SnapshotProgress(new NodeUid(message.From));
        if (sender.IsDone) EndSending(message.From, delivered: true);
        else SendChunk(message.From, sender);
    }

    void EndSending(ulong to, bool delivered)
    {
        _sending.Remove(to);
        Core.SnapshotSent(new NodeUid(to), delivered);
        Pump();
    }

    void ReceiveChunk(RaftMessage message)
    {
        var chunk = message.InstallSnapshot;
        if (message.Term < Core.Term)
        {
            Core.Step(message);
            return;
        }

        // The one that came before it is installed first: only the newest file is kept.
        if (_toApply.Any(item => item is SnapshotMeta)) return;

        if (_receiving is null || !_receiving.IsFor(message)) _receiving = new SnapshotReceiver(chunk.Meta, message.From, message.Term);
        if (_receiving.Take(chunk))
        {
            // Durable before the core learns of it; a crash in the middle leaves the old one or the new one.
            if (!(_node.Snapshots.Newest(Group)?.Index >= chunk.Meta.Index))
            {
                var content = _receiving.Content;
                try
                {
                    _node.Snapshots.Save(Group, chunk.Meta, output => output.Write(content));
                }
                catch (DiskFullException)
                {
                    _receiving = null;
                    return; // the leader sends it again
                }
            }

            Core.Step(message);
        }

        _node.Send(new RaftMessage
        {
            Group = Group.Value,
            From = _node.Uid.Value,
            To = message.From,
            Term = Core.Term,
            SnapshotChunkResponse = new SnapshotChunkResponse { Index = chunk.Meta.Index, NextOffset = _receiving.NextOffset },
        });
    }

    void CountConflict(LogWrite write)
    {
        if (write.Entries.Count > 0 && write.Entries[0].Index <= _simulation.Oracle.Model(_node.Uid, Group).LastIndex)
            _simulation.Coverage.Count("conflicting tail overwritten");
    }

    static ulong HashOf(IStateSnapshot snapshot)
    {
        var bytes = new MemoryStream();
        snapshot.WriteTo(bytes);
        return StableHash.Of(bytes.ToArray());
    }

    void OracleCheck(bool ok, string message) => ClusterOracle.Check(ok, Group, $"{_node.Uid}: {message}");

    readonly record struct Waiting(ulong Term, ClientRequest Request);
}
