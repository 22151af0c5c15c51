using ActorCluster.Protocol;
using ActorCluster.Protocol.Raft;
using ActorCluster.Raft.Storage;

namespace ActorCluster.Raft.Tests.Interaction;

/// <summary>What is durable of one replica, in memory: a model of the node-wide log for one group.</summary>
sealed class FakeDisk(GroupId group, GroupConfig config)
{
    HardState _hardState;
    Suspicion? _suspicion;
    SnapshotMeta? _snapshot;
    List<Entry> _entries = [];

    public ulong LastIndex => _entries.Count > 0 ? _entries[^1].Index : _snapshot?.Index ?? 0;
    public HardState HardState => _hardState;

    /// <summary>The state that the durable snapshot stands for.</summary>
    public IReadOnlyList<string> SnapshotState { get; private set; } = [];

    /// <summary>What the snapshot store holds; its mark in the log may be missing after a crash.</summary>
    SnapshotMeta? _saved;

    public Entry? EntryAt(ulong index) => _entries.FirstOrDefault(e => e.Index == index);

    public void Write(LogWrite write)
    {
        if (write.Snapshot is { } snapshot) Mark(snapshot);
        if (write.Entries.Count > 0)
        {
            _entries.RemoveAll(e => e.Index >= write.Entries[0].Index);
            Assert.Equal(LastIndex + 1, write.Entries[0].Index);
            _entries.AddRange(write.Entries);
        }

        if (write.HardState is { } hardState) _hardState = hardState;
        if (write.Trusted) _suspicion = null;
    }

    /// <summary>The entries from an index on cannot be read any more, and a restart finds that. Term and vote have a second copy.</summary>
    public void Damage(ulong from)
    {
        _entries.RemoveAll(e => e.Index >= from);
        _suspicion = new Suspicion($"entry {from} cannot be read");
        _hardState = _hardState with { Commit = _snapshot?.Index ?? 0 };
    }

    public void Save(SnapshotMeta meta, IReadOnlyList<string> state)
    {
        if (_saved is not null && meta.Index <= _saved.Index) return;
        _saved = meta;
        SnapshotState = state;
    }

    public void Mark(SnapshotMeta snapshot)
    {
        if (_snapshot is not null && snapshot.Index <= _snapshot.Index) return;
        var continues = _entries.Any(e => e.Index == snapshot.Index && e.Term == snapshot.Term);
        _entries = continues ? [.. _entries.Where(e => e.Index > snapshot.Index)] : [];
        _snapshot = snapshot;
    }

    public RecoveredGroup Recover()
    {
        var recovered = new RecoveredGroup(group, _hardState, config, _snapshot, [.. _entries], _suspicion).Adopt(_saved);

        // As a node does: the missing mark is written before anything that follows it.
        if (_saved is not null) Mark(_saved);
        return recovered;
    }
}
