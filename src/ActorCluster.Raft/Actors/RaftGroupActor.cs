using ActorCluster.Protocol;
using ActorCluster.Protocol.Raft;
using Microsoft.Extensions.Logging;
using Proto;

namespace ActorCluster.Raft.Actors;

/// <summary>
/// One replica as an actor, named raft/{group}: steps its core in its mailbox and acts on what the core puts out. The receive
/// behaviour is the role's; the core's role is the only truth, and the behaviour follows it.
/// </summary>
sealed partial class RaftGroupActor : IActor
{
    readonly RaftHost _host;
    readonly RaftNode _core;
    readonly IStateMachine _stateMachine;
    readonly ReplicaGroup _handle;
    readonly Behavior _behavior = new();
    readonly ILogger _logger;
    readonly ILogger _applyLogger;
    readonly Dictionary<NodeUid, PID> _peers = [];

    IContext _context = null!;
    bool _flushPosted;
    bool _ended;
    GroupLeadershipChanged _published;
    TaskCompletionSource? _handingOver;
    long _ticks;
    bool _wasSuspect;

    public RaftGroupActor(RaftHost host, RaftNode core, IStateMachine stateMachine, ReplicaGroup handle, ILoggerFactory loggers, ulong firstReadId)
    {
        _host = host;
        _core = core;
        _stateMachine = stateMachine;
        _handle = handle;
        _logger = loggers.CreateLogger<RaftGroupActor>();
        _applyLogger = loggers.CreateLogger(RaftLogging.ApplyCategory);
        _nextReadId = firstReadId;
        _published = new GroupLeadershipChanged(core.Group, core.Role, core.Term, core.Leader, LeaderReady: false);
        _newestSnapshotIndex = core.Snapshot?.Index ?? 0;
        _snapshotBytes = (long)(core.Snapshot?.SizeBytes ?? 0);
        _behavior.Become(AsFollower);
        _wasSuspect = core.IsSuspect;
        if (core.Suspicion is { } suspicion) RaftLogging.Suspect(_logger, core.Group, suspicion);
    }

    public Task ReceiveAsync(IContext context)
    {
        if (_ended) return Task.CompletedTask;
        _context = context;
        try
        {
            var handled = _behavior.ReceiveAsync(context);
            if (!_ended && !_flushPosted && (_core.HasReady || _openReads.Count > 0)) PostFlush();
            return handled;
        }
        catch (Exception e)
        {
            // Not the supervisor's business: an actor restarted without its core would forget what it promised.
            End($"group {_core.Group} failed: {e.Message}");
            _host.Fail(e, $"group {_core.Group}");
            return Task.CompletedTask;
        }
    }

    Task AsLeader(IContext context)
    {
        switch (context.Message)
        {
            case WorkSubmitted: TakeSubmitted(Propose); break;
            default: Receive(context.Message); break;
        }

        return Task.CompletedTask;
    }

    Task AsFollower(IContext context)
    {
        switch (context.Message)
        {
            case WorkSubmitted: TakeSubmitted(RefuseForLeader); break;
            default: Receive(context.Message); break;
        }

        return Task.CompletedTask;
    }

    Task AsCandidate(IContext context)
    {
        switch (context.Message)
        {
            case WorkSubmitted: TakeSubmitted(RefuseForElection); break;
            default: Receive(context.Message); break;
        }

        return Task.CompletedTask;
    }

    /// <summary>What every role takes alike: the core knows the difference.</summary>
    void Receive(object? message)
    {
        switch (message)
        {
            case RaftMessage { BodyCase: RaftMessage.BodyOneofCase.InstallSnapshot } chunk: ReceiveChunk(chunk); break;
            case RaftMessage { BodyCase: RaftMessage.BodyOneofCase.SnapshotChunkResponse } answer: ConfirmChunk(answer); break;
            case RaftMessage { AppendRequest.Entries.Count: > 0 } append when HasNoRoomFor(append.AppendRequest): break; // as if it was lost: it comes again
            case RaftMessage raft: _core.Step(raft); break;
            case WriteDurable durable: _core.Durable(durable.Write); break;
            case TickPassed: Tick(); break;
            case Flush: DoFlush(); break;
            case SnapshotSaved saved: MarkSnapshot(saved.Meta); break;
            case SnapshotMarked marked: FinishSnapshot(marked.Meta); break;
            case SnapshotReceived received: InstallReceived(received.Last); break;
            case HandOver request: BeginHandOver(request); break;
            case ChangeMembers change: Change(change); break;
            case PeerLost lost: LosePeer(lost.Address); break;
            case SnapshotRefused refused: GiveUpSnapshot(refused.Reason); break;
            case WorkFailed failed: throw new IOException($"work of group {_core.Group} failed: {failed.Error.Message}", failed.Error);
            case HostFailed failed: End(failed.Reason); break;
            case Started: PostFlush(); break;
            case Stopping: End("the node is stopping"); break;
        }
    }

    /// <summary>Where the disk is full what a new leader needs still goes in: the entry that opens its term, and configurations.</summary>
    bool HasNoRoomFor(AppendRequest append) =>
        _host.Log.IsFull || (_host.Log.IsNearlyOutOfSpace && append.Entries.Any(e => e.Kind == EntryKind.Command));

    void Tick()
    {
        _handle.TickTaken();
        _ticks++;
        _core.Tick();
        TickProposals();
        TickSnapshots();
        TickHandOver();
    }

    void PostFlush()
    {
        _flushPosted = true;
        _context.Send(_context.Self, Actors.Flush.Instance);
    }

    /// <summary>Everything that came in since the first output arose goes out in one Ready: one write, one message per follower.</summary>
    void DoFlush()
    {
        _flushPosted = false;
        BeginReads();
        if (!_core.HasReady) return;
        var ready = _core.TakeReady();
        foreach (var message in ready.Messages) Send(message);
        if (ready.Write is { } write) Submit(write);
        if (ready.SnapshotToInstall is { } installed) Restore(installed);
        _restoring = false;
        Apply(ready.Committed);
        foreach (var read in ready.Reads) FinishRead(read);
        foreach (var snapshot in ready.SnapshotsToSend) SendSnapshot(snapshot);
        RunReads();
        if (ready.LeadershipChange is not null) ChangeRole();
        UpdateStatus();
        MaybeTakeSnapshot();
        MaybeEndHandOver();
    }

    void Submit(StorageWrite write)
    {
        var (root, self) = (_context.System.Root, _context.Self);
        _host.Log.Submit(write.Log, () => root.Send(self, new WriteDurable(write)));
    }

    void Send(RaftMessage message)
    {
        var to = new NodeUid(message.To);
        if (_host.Directory.AddressOf(to) is not { } address) return; // nobody knows where it is: as if lost
        if (!_peers.TryGetValue(to, out var pid) || pid.Address != address)
            _peers[to] = pid = PID.FromAddress(address, RaftHost.ActorName(_core.Group));
        _context.Send(pid, message);
    }

    void Apply(IReadOnlyList<Entry> entries)
    {
        if (entries.Count == 0) return;
        var logs = _applyLogger.IsEnabled(LogLevel.Debug);
        foreach (var entry in entries)
        {
            var value = _stateMachine.Apply(entry);
            _bytesSinceSnapshot += entry.Payload.Length;
            _entriesSinceSnapshot++;
            if (logs) RaftLogging.Applied(_applyLogger, _core.Group.Value, entry.Index, entry.Term, entry.Kind.ToString());
            EndProposalsAt(entry, value);
        }

        _appliedEntries += (ulong)entries.Count;
        var applied = entries[^1].Index;
        Invariant.Check(_stateMachine.AppliedIndex == applied, $"the state machine stands at {_stateMachine.AppliedIndex} after entry {applied}");
        _core.Applied(applied);
    }

    void Change(ChangeMembers change)
    {
        _handle.Answered(change.Answer);
        change.Answer.TrySetResult(_core.ChangeMembers(change.Voters, change.Learners));
    }

    void LosePeer(string address)
    {
        if (!_core.Leader.IsNone && _host.Directory.AddressOf(_core.Leader) == address) _core.LeaderLost(_core.Leader);
    }

    void ChangeRole()
    {
        _behavior.Become(_core.Role switch
        {
            RaftRole.Leader => AsLeader,
            RaftRole.PreCandidate or RaftRole.Candidate => AsCandidate,
            _ => AsFollower,
        });
        RaftLogging.LeadershipChanged(_logger, _core.Group, _core.Role, _core.Term, _core.Leader);
        if (_core.Role == RaftRole.Leader) return;
        StopSending();
        OrphanProposals();
    }

    /// <summary>The status first, then the event: who hears it may look.</summary>
    void UpdateStatus()
    {
        // The no-op of the term is the first entry of it that can be applied.
        var leaderReady = _core.Role == RaftRole.Leader && _core.TermAt(_core.AppliedIndex) == _core.Term;
        _handle.Status = new GroupStatus(
            _core.Group, _core.Role, _core.Term, _core.Leader, _core.CommitIndex, _core.AppliedIndex, _core.FirstIndex, _core.LastIndex,
            _core.LogBytes, _core.Snapshot?.Index ?? 0, _snapshotBytes, _core.Voters, _appliedEntries, leaderReady, _core.IsNeeded, _core.Suspicion);
        NoteTrust();
        var now = new GroupLeadershipChanged(_core.Group, _core.Role, _core.Term, _core.Leader, leaderReady);
        if (now == _published) return;
        _published = now;
        _context.System.EventStream.Publish(now);
    }

    void NoteTrust()
    {
        if (_wasSuspect && !_core.IsSuspect) RaftLogging.Trusted(_logger, _core.Group, _core.Leader);
        _wasSuspect = _core.IsSuspect;
    }

    /// <summary>The replica does nothing more; whoever waits is told what is known.</summary>
    void End(string reason)
    {
        _ended = true;
        _handle.Close(reason);
        AbandonProposals(ErrorCode.NodeStopping, reason);
        RefuseReads(ErrorCode.NodeStopping, reason);
        StopSending();
        _receiver?.Dispose();
        _receiver = null;
        _handingOver?.TrySetResult();
    }
}
