using System.Text;
using ActorCluster.Protocol.Raft;

namespace ActorCluster.Raft.Tests.Actors;

/// <summary>A state machine that keeps every command it applied, in order; the answer is how many there are.</summary>
sealed class WordList : IStateMachine
{
    List<string> _words = [];

    public ulong AppliedIndex { get; private set; }
    public IReadOnlyList<string> Words => _words;

    public object? Apply(Entry entry)
    {
        Assert.Equal(AppliedIndex + 1, entry.Index);
        AppliedIndex = entry.Index;
        if (entry.Kind != EntryKind.Command) return null;
        _words.Add(entry.Payload.ToStringUtf8());
        return _words.Count;
    }

    public IStateSnapshot Capture() => new Captured(AppliedIndex, [.. _words]);

    public void Restore(Stream snapshot)
    {
        using var reader = new BinaryReader(snapshot, Encoding.UTF8, leaveOpen: true);
        AppliedIndex = reader.ReadUInt64();
        var count = reader.ReadInt32();
        _words = new List<string>(count);
        for (var i = 0; i < count; i++) _words.Add(reader.ReadString());
    }

    sealed class Captured(ulong appliedIndex, string[] words) : IStateSnapshot
    {
        public ulong AppliedIndex => appliedIndex;

        public void WriteTo(Stream output)
        {
            using var writer = new BinaryWriter(output, Encoding.UTF8, leaveOpen: true);
            writer.Write(appliedIndex);
            writer.Write(words.Length);
            foreach (var word in words) writer.Write(word);
        }
    }
}
