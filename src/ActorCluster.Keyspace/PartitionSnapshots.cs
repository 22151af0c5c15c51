using ActorCluster.Protocol.Keyspace;
using ActorCluster.Raft;
using Google.Protobuf;

namespace ActorCluster.Keyspace;

/// <summary>
/// Snapshots of a <see cref="PartitionStateMachine"/>: length-delimited <see cref="PartitionSnapshot"/> chunks in an order
/// that depends on the state only, so that two replicas at one index write the same bytes. The reader checks the order,
/// the bounds and the end mark; the storage below guards the bytes.
/// </summary>
public static class PartitionSnapshots
{
    /// <summary>Most bytes of one chunk: bounds what a reader allocates.</summary>
    public const int MaxChunkBytes = 16 * 1024 * 1024;

    const uint Format = 1;
    const int ChunkBytes = 256 * 1024;

    internal static IStateSnapshot Capture(PartitionStateMachine machine, IReadOnlyList<IPartitionPart> parts) => new Captured(
        new PartitionSnapshot { Format = Format, AppliedIndex = machine.AppliedIndex, AppliedTerm = machine.AppliedTerm, TimeMs = machine.TimeMs },
        machine.Sessions.Capture(),
        machine.Store.Capture(),
        [.. parts.Select(p => (p.Name, p.Capture()))]);

    internal static Restored Read(Stream input, IReadOnlyList<IPartitionPart> parts)
    {
        var restored = new Restored();
        var restores = parts.Select(p => (p.Name, Restore: p.BeginRestore())).ToArray();
        restored.Parts = [.. restores.Select(r => r.Restore)];
        var lastKey = (string?)null;
        var first = true;
        while (true)
        {
            var chunk = ReadChunk(input);
            if (first)
            {
                if (chunk.Format != Format) throw Bad($"format {chunk.Format} is not known; this version reads {Format}");
                if (chunk.AppliedIndex == 0) throw Bad("applied index is 0");
                restored.AppliedIndex = chunk.AppliedIndex;
                restored.AppliedTerm = chunk.AppliedTerm;
                restored.TimeMs = chunk.TimeMs;
                first = false;
            }

            foreach (var session in chunk.Sessions) restored.Sessions.Restore(session);
            foreach (var item in chunk.Items)
            {
                if (lastKey is not null && string.CompareOrdinal(item.Key, lastKey) <= 0) throw Bad($"key '{item.Key}' comes after '{lastKey}'");
                lastKey = item.Key;
                restored.Store.Put(item.Key, item.Value, item.Version);
            }

            foreach (var state in chunk.Parts)
            {
                var part = Array.Find(restores, r => r.Name == state.Part);
                if (part.Restore is null) throw Bad($"part '{state.Part}' is not registered on this node");
                part.Restore.Add(state.State);
            }

            if (chunk.End) return restored;
        }
    }

    static PartitionSnapshot ReadChunk(Stream input)
    {
        var length = 0u;
        for (var shift = 0; ; shift += 7)
        {
            var b = input.ReadByte();
            if (b < 0) throw Bad("it ends before its end mark");
            if (shift > 28) throw Bad("a chunk's length is malformed");
            length |= (uint)(b & 0x7f) << shift;
            if (b < 0x80) break;
        }

        // Bounds before allocation (faults A8).
        if (length is 0 or > MaxChunkBytes) throw Bad($"a chunk has {length} bytes; allowed are 1 to {MaxChunkBytes}");
        var bytes = new byte[length];
        try
        {
            input.ReadExactly(bytes);
            return PartitionSnapshot.Parser.ParseFrom(bytes);
        }
        catch (EndOfStreamException e)
        {
            throw new InvalidDataException("partition snapshot: it ends inside a chunk", e);
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new InvalidDataException("partition snapshot: a chunk is not a PartitionSnapshot", e);
        }
    }

    static InvalidDataException Bad(string message) => new($"partition snapshot: {message}");

    internal sealed class Restored
    {
        public SessionTable Sessions { get; } = new();

        public KvStore Store { get; } = new();

        public IReadOnlyList<IPartRestore> Parts { get; set; } = [];

        public ulong AppliedIndex { get; set; }

        public ulong AppliedTerm { get; set; }

        public ulong TimeMs { get; set; }
    }

    sealed class Captured(
        PartitionSnapshot header,
        Session[] sessions,
        OrderedStore<KvEntry>.View items,
        (string Name, IEnumerable<ByteString> Chunks)[] parts) : IStateSnapshot
    {
        public ulong AppliedIndex => header.AppliedIndex;

        public void WriteTo(Stream output)
        {
            header.WriteDelimitedTo(output);
            var chunk = new PartitionSnapshot();
            var bytes = 0;

            foreach (var session in sessions)
            {
                var state = session.Save();
                chunk.Sessions.Add(state);
                Wrote(state.CalculateSize());
            }

            foreach (var (key, entry) in items.Entries())
            {
                chunk.Items.Add(new KvItem { Key = key, Value = entry.Value, Version = entry.Version });
                Wrote(key.Length + entry.Value.Length + 16);
            }

            foreach (var (name, chunks) in parts)
            {
                foreach (var state in chunks)
                {
                    chunk.Parts.Add(new PartState { Part = name, State = state });
                    Wrote(state.Length + name.Length);
                }
            }

            chunk.End = true;
            chunk.WriteDelimitedTo(output);

            void Wrote(int size)
            {
                bytes += size;
                if (bytes < ChunkBytes) return;
                chunk.WriteDelimitedTo(output);
                chunk = new PartitionSnapshot();
                bytes = 0;
            }
        }
    }
}
