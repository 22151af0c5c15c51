using ActorCluster.Protocol.Raft;

namespace ActorCluster.Raft.Tests.Interaction;

/// <summary>One core with its disk and its state machine (the list of the commands applied), stepped by hand.</summary>
sealed class Replica
{
    readonly RaftConfig _config;
    readonly IRandomSource _random;
    readonly Queue<StorageWrite> _writes = new();
    readonly Queue<IReadOnlyList<Entry>> _applies = new();

    public Replica(RaftConfig config, GroupConfig members, IRandomSource random)
    {
        _config = config;
        _random = random;
        Disk = new FakeDisk(config.Group, members);
        Core = Start();
    }

    public FakeDisk Disk { get; }
    public RaftNode Core { get; private set; }
    public bool Up { get; private set; } = true;
    public List<string> State { get; private set; } = [];
    public int WritesUnderWay => _writes.Count;
    public int AppliesWaiting => _applies.Count;

    /// <summary>Reads confirmed and waiting until their index is applied.</summary>
    public List<FinishedRead> Reads { get; } = [];

    public ulong Uid => _config.Self.Value;

    RaftNode Start()
    {
        var recovered = Disk.Recover();
        State = [.. Disk.SnapshotState];
        return new RaftNode(_config, recovered, recovered.Snapshot?.Index ?? 0, _random);
    }

    /// <summary>Takes a Ready, keeps its storage and apply work for later, and returns it.</summary>
    public Ready TakeReady()
    {
        var ready = Core.TakeReady();
        if (ready.Write is { } write) _writes.Enqueue(write);
        if (ready.SnapshotToInstall is not null) _applies.Clear(); // older than the snapshot (faults E9)
        if (ready.Committed.Count > 0) _applies.Enqueue([.. ready.Committed]);
        Reads.AddRange(ready.Reads);
        return ready;
    }

    /// <summary>A snapshot's content arrived and is durable; the core has taken it.</summary>
    public void Install(SnapshotMeta meta, IReadOnlyList<string> state)
    {
        Disk.Save(meta, state);
        State = [.. state];
        Core.Applied(meta.Index);
    }

    public StorageWrite? CompleteWrite()
    {
        if (!_writes.TryDequeue(out var write)) return null;
        Disk.Write(write.Log);
        Core.Durable(write);
        return write;
    }

    public IReadOnlyList<Entry> Apply()
    {
        if (!_applies.TryDequeue(out var entries)) return [];
        foreach (var entry in entries)
        {
            if (entry.Kind == EntryKind.Command) State.Add(entry.Payload.ToStringUtf8());
        }

        Core.Applied(entries[^1].Index);
        return entries;
    }

    public SnapshotMeta TakeSnapshot()
    {
        var index = Core.AppliedIndex;
        var meta = new SnapshotMeta { Index = index, Term = Core.TermAt(index)!.Value, Config = Core.ConfigAt(index).Clone() };
        Disk.Save(meta, [.. State]);
        Disk.Mark(meta);
        Core.SnapshotTaken(meta);
        return meta;
    }

    /// <summary>The process dies: what was not durable is gone.</summary>
    public void Crash()
    {
        Up = false;
        _writes.Clear();
        _applies.Clear();
        Reads.Clear();
    }

    public void Restart()
    {
        Core = Start();
        Up = true;
    }
}
