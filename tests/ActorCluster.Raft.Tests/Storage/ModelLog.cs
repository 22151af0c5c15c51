using ActorCluster.Protocol;
using ActorCluster.Protocol.Raft;
using ActorCluster.Raft.Storage;

namespace ActorCluster.Raft.Tests.Storage;

/// <summary>What a log must hold, written as simply as the contract of <see cref="LogWrite"/> reads. Copied, not shared.</summary>
sealed class ModelLog
{
    public SortedDictionary<GroupId, RecoveredGroup> Groups { get; private init; } = [];

    public ModelLog Copy() => new() { Groups = new SortedDictionary<GroupId, RecoveredGroup>(Groups) };

    public string Text => StorageTestData.Text(Groups.Values);

    public void Apply(LogWrite write)
    {
        if (write.Delete)
        {
            Groups.Remove(write.Group);
            return;
        }
        if (!Groups.TryGetValue(write.Group, out var group)) group = new RecoveredGroup(write.Group, default, write.Config!, Snapshot: null, []);
        if (write.HardState is { } state) group = group with { HardState = state };
        if (write.Snapshot is { } snapshot) group = group with { Snapshot = snapshot, Entries = After(group, snapshot) };
        if (write.Entries.Count > 0)
            group = group with { Entries = [.. group.Entries.Where(e => e.Index < write.Entries[0].Index), .. write.Entries] };
        Groups[write.Group] = group;
    }

    static IReadOnlyList<Entry> After(RecoveredGroup group, SnapshotMeta snapshot)
    {
        var holdsIt = group.Entries.Any(e => e.Index == snapshot.Index && e.Term == snapshot.Term)
            || (group.Snapshot?.Index == snapshot.Index && group.Snapshot.Term == snapshot.Term);
        return holdsIt ? [.. group.Entries.Where(e => e.Index > snapshot.Index)] : [];
    }
}
