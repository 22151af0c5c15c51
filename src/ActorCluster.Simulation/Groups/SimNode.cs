using ActorCluster.Protocol;
using ActorCluster.Protocol.Raft;
using ActorCluster.Raft;
using ActorCluster.Raft.Storage;
using ActorCluster.Simulation.Disk;

namespace ActorCluster.Simulation.Groups;

/// <summary>
/// A simulated node: a disk that outlives it, and a process that comes and goes. The process holds the real storage over
/// the disk, a replica of every group, one log writer, a clock.
/// </summary>
sealed class SimNode
{
    const string DataDirectory = "/data";

    readonly GroupSimulation _simulation;
    readonly Dictionary<string, Xoshiro256> _randoms = new(StringComparer.Ordinal);
    readonly SortedDictionary<GroupId, SimReplica> _replicas = [];
    readonly List<QueuedWrite> _queued = [];
    readonly Queue<Action> _deferred = new();
    NodeStorage? _storage;
    bool _writing;
    int _life;
    ulong _readIds;

    public SimNode(GroupSimulation simulation, int index)
    {
        _simulation = simulation;
        Index = index;
        Uid = new NodeUid((ulong)index + 1);
        Disk = new SimDisk(RandomFor("disk"));
        var skew = simulation.Options.ClockSkew * (RandomFor("clock").Next(2001) - 1000) / 1000.0;
        TickMicros = (int)(simulation.Options.TickMicros * (1 + skew));
    }

    public int Index { get; }

    public NodeUid Uid { get; }

    public SimDisk Disk { get; }

    public int TickMicros { get; }

    /// <summary>Counts the deaths of the process.</summary>
    public int Life => _life;

    public bool IsUp => _storage is not null;

    public bool IsPaused { get; private set; }

    /// <summary>Greatest duration of a write or sync now: grows while the disk stalls.</summary>
    public int DiskMicros { get; set; }

    public SnapshotStore Snapshots => _storage!.Snapshots;

    /// <summary>The disk is full: proposals are refused.</summary>
    public bool IsShortOfSpace => _storage!.Log.IsShortOfSpace;

    /// <summary>Not even its reserve can take commands from a leader.</summary>
    public bool IsNearlyOutOfSpace => _storage!.Log.IsNearlyOutOfSpace;

    public IEnumerable<SimReplica> Replicas => _replicas.Values;

    public SimReplica? Replica(GroupId group) => _replicas.GetValueOrDefault(group);

    /// <summary>The generator of one concern of this node; continues over restarts.</summary>
    public Xoshiro256 RandomFor(string concern)
    {
        if (!_randoms.TryGetValue(concern, out var random))
            _randoms.Add(concern, random = _simulation.World.RandomFor($"node{Index}/{concern}"));
        return random;
    }

    public int Draw(string concern, int exclusiveMax) => RandomFor(concern).Next(Math.Max(1, exclusiveMax));

    /// <summary>Ids of reads are never used twice, over restarts too (faults C2).</summary>
    public ulong NextReadId() => ++_readIds;

    /// <summary>The process starts: storage is opened, replicas come back from it.</summary>
    public void Start(Func<GroupId, GroupConfig>? createGroups = null)
    {
        if (IsUp) return;
        DiskMicros = _simulation.Options.DiskMicros;
        Guarded(() =>
        {
            var storage = NodeStorage.Open(Disk, DataDirectory, new NodeLogOptions(_simulation.Options.SegmentBytes));
            if (createGroups is not null)
            {
                storage.Log.Append([.. _simulation.Groups.Select(g => new LogWrite(g, default(HardState), [], Config: createGroups(g)))]);
                storage.Log.Sync();
                storage.Dispose();
                storage = NodeStorage.Open(Disk, DataDirectory, new NodeLogOptions(_simulation.Options.SegmentBytes));
            }

            _storage = storage;
            _simulation.Trace("started groups life", this, default, (ulong)storage.Groups.Count, (ulong)_life);
            _simulation.Oracle.Recovered(Uid, storage.Groups);
            foreach (var group in _simulation.Groups)
            {
                var recovered = storage.Groups.FirstOrDefault(g => g.Group == group);
                ClusterOracle.Check(recovered is not null, group, $"{Uid} lost the group altogether");
                var replica = new SimReplica(this, _simulation, recovered!, storage.Snapshots);
                _replicas.Add(group, replica);
                replica.Pump();
            }

            ScheduleTick();
        });
    }

    /// <summary>
    /// What will be damaged once the process is gone: one file. Of the log only what a later marker covers: damage of the last batch cannot be
    /// told from a torn tail (docs/disk.md).
    /// </summary>
    public Action DrawDamage()
    {
        var (segment, offset) = _storage!.Log.MarkedEnd;
        return () =>
        {
            const string log = DataDirectory + "/log";
            var files = Disk.ListFiles(log).Where(n => n.EndsWith(".log", StringComparison.Ordinal)).Select(n => Path.Combine(log, n)).ToList();
            foreach (var directory in new[] { log + "/votes", DataDirectory + "/snapshots" })
                files.AddRange(Disk.ListFiles(directory).Where(n => !n.EndsWith(".new", StringComparison.Ordinal)).Select(n => Path.Combine(directory, n)));
            var path = files[Draw("damage", files.Count)];
            var order = path.StartsWith(log + "/0", StringComparison.Ordinal) ? string.CompareOrdinal(Path.GetFileName(path), segment) : -1;
            Disk.Damage(path, order < 0 ? long.MaxValue : order == 0 ? offset : 0);
            _simulation.Trace("damaged " + Path.GetFileName(path), this, default);
        };
    }

    /// <summary>The process is gone. Its disk keeps what it must (power loss), or all that was written (kill).</summary>
    public void Stop(bool powerLoss)
    {
        _life++;
        if (powerLoss) Disk.Crash();
        else Disk.Kill();
        _storage = null;
        _replicas.Clear();
        _queued.Clear();
        _deferred.Clear();
        _writing = false;
        IsPaused = false;
        _simulation.Trace(powerLoss ? "power loss" : "killed", this, default);
    }

    public void Pause()
    {
        if (IsUp) IsPaused = true;
    }

    public void Resume()
    {
        if (!IsPaused) return;
        IsPaused = false;
        var life = _life;
        while (_deferred.Count > 0 && _life == life && !IsPaused) Guarded(_deferred.Dequeue());
    }

    /// <summary>Does something later in this process, if it still lives then; a paused process does it when it goes on.</summary>
    public void After(long micros, Action action)
    {
        var life = _life;
        _simulation.World.After(micros, () => Arrive(life, action));
    }

    /// <summary>Does something to every core of this process, as soon as it runs.</summary>
    public void OfEachReplica(Action<SimReplica> action)
    {
        if (!IsUp) return;
        After(0, () =>
        {
            foreach (var replica in _replicas.Values)
            {
                action(replica);
                replica.Pump();
            }
        });
    }

    public void Send(RaftMessage message)
    {
        var to = _simulation.NodeOf(message.To);
        _simulation.Trace("send kind to term", this, new GroupId(message.Group), (ulong)message.BodyCase, message.To, message.Term);
        _simulation.Network.Send(Index, to.Index, () => to.Arrive(to._life, () => to.Replica(new GroupId(message.Group))!.Receive(message)));
    }

    /// <summary>A request of a client arrives over the network.</summary>
    public void Receive(ClientRequest request) => Arrive(_life, () => Replica(request.Group)!.Receive(request));

    public void Answer(ClientReply reply) => _simulation.Reply(this, reply);

    /// <summary>Hands a write of a core to the log writer.</summary>
    public void Write(SimReplica replica, StorageWrite write) => Queue(new QueuedWrite(write.Log, () => replica.Durable(write)));

    /// <summary>Records in the log that an own snapshot is durable.</summary>
    public void WriteMark(SimReplica replica, SnapshotMeta meta)
    {
        var log = new LogWrite(replica.Group, null, [], Snapshot: meta);
        _simulation.Oracle.Written(replica.Group, replica.Core, log);
        Queue(new QueuedWrite(log, () => replica.SnapshotMarked(meta)));
    }

    void Queue(QueuedWrite write)
    {
        _queued.Add(write);
        var log = write.Log;
        _simulation.Trace("write term vote last", this, log.Group, log.HardState?.Term ?? 0, log.HardState?.Vote.Value ?? 0, log.Entries.Count > 0 ? log.Entries[^1].Index : 0);
        if (_writing) return;
        _writing = true;
        After(Draw("write", DiskMicros), WriteBatch);
    }

    void WriteBatch()
    {
        var batch = _queued.ToList();
        _queued.Clear();
        _simulation.Trace("append writes", this, default, (ulong)batch.Count);
        try
        {
            _storage!.Log.Append([.. batch.Select(w => w.Log)]);
        }
        catch (DiskFullException)
        {
            _simulation.Coverage.Count("waited for room on the disk");
            _queued.InsertRange(0, batch);
            After(_simulation.Options.TickMicros, WriteBatch);
            return;
        }

        if (_simulation.Options.Fault == InjectedFault.AcknowledgeBeforeSync)
        {
            foreach (var write in batch) write.OnDurable();
            batch.Clear();
        }

        After(Draw("sync", DiskMicros), () =>
        {
            _storage.Log.Sync();
            _simulation.Trace("synced writes queued", this, default, (ulong)batch.Count, (ulong)_queued.Count);
            foreach (var group in _simulation.Groups) _simulation.Oracle.Model(Uid, group).Sync(_queued.Count(w => w.Log.Group == group));
            foreach (var write in batch) write.OnDurable();
            _writing = false;
            if (_queued.Count == 0) return;
            _writing = true;
            After(Draw("write", DiskMicros), WriteBatch);
        });
    }

    void ScheduleTick() => After(TickMicros, () =>
    {
        foreach (var replica in _replicas.Values)
        {
            replica.Tick();
            replica.Pump();
        }

        if (_storage!.Log.IsShortOfSpace) _storage.Log.Reserve();
        ScheduleTick();
    });

    void Arrive(int life, Action action)
    {
        if (life != _life || !IsUp) return;
        if (IsPaused) _deferred.Enqueue(action);
        else Guarded(action);
    }

    /// <summary>
    /// A scheduled death inside a disk operation, and a disk that reports an error, end the process: the only two exceptions
    /// that a node may meet. Anything else fails the run.
    /// </summary>
    void Guarded(Action action)
    {
        try
        {
            action();
        }
        catch (SimulatedCrashException)
        {
            _simulation.Coverage.Count("died inside a disk operation");
            Fall();
        }
        catch (DiskFullException)
        {
            _simulation.Coverage.Count("found no room at its start");
            Fall();
        }
        catch (IOException e) when (e is not StorageException)
        {
            _simulation.Coverage.Count("stopped by a disk error");
            Fall();
        }
    }

    void Fall()
    {
        Stop(powerLoss: true);
        _simulation.World.After(_simulation.Options.TickMicros * 20L, () => Start());
    }

    sealed record QueuedWrite(LogWrite Log, Action OnDurable);
}
