using ActorCluster.Protocol;
using ActorCluster.Protocol.Keyspace;
using ActorCluster.Protocol.Raft;
using ActorCluster.Raft;

namespace ActorCluster.Keyspace;

/// <summary>
/// What one partition replicates: sessions, keys and values, and the parts that other projects register. Apply is a pure
/// function of the log; the applied index is part of the state (faults A4). Apply returns the <see cref="CommandReply"/>
/// of a command, null for other entries.
/// </summary>
public sealed class PartitionStateMachine : IStateMachine
{
    readonly IPartitionPart[] _parts;
    SessionTable _sessions = new();
    KvStore _store = new();
    long _bytes;

    /// <param name="partition">Number of the partition, for messages to people.</param>
    /// <param name="parts">Registered parts, the same on every replica.</param>
    public PartitionStateMachine(uint partition, params IReadOnlyList<IPartitionPart> parts)
    {
        Partition = partition;
        _parts = [.. parts.OrderBy(p => p.Name, StringComparer.Ordinal)];
    }

    public uint Partition { get; }

    public ulong AppliedIndex { get; private set; }

    /// <summary>Term of the last entry applied.</summary>
    public ulong AppliedTerm { get; private set; }

    /// <summary>The partition's time, milliseconds since 1970: the highest that an entry carried.</summary>
    public ulong TimeMs { get; private set; }

    public SessionTable Sessions => _sessions;

    public KvStore Store => _store;

    /// <summary>Estimate of the state's memory in bytes; may be read on any thread, to refuse requests before they are proposed.</summary>
    public long Bytes => Volatile.Read(ref _bytes);

    public T Part<T>() where T : class, IPartitionPart
    {
        foreach (var part in _parts)
            if (part is T match) return match;
        throw new InvalidOperationException($"no part of type {typeof(T).Name} is registered with partition {Partition}");
    }

    public object? Apply(Entry entry)
    {
        Invariant.Check(entry.Index == AppliedIndex + 1, $"partition {Partition} applies {entry.Index} after {AppliedIndex}");
        Invariant.Check(entry.Term >= AppliedTerm, $"partition {Partition} applies term {entry.Term} after term {AppliedTerm}");
        AppliedIndex = entry.Index;
        AppliedTerm = entry.Term;
        return entry.Kind == EntryKind.Command ? Apply(PartitionCommand.Parser.ParseFrom(entry.Payload)) : null;
    }

    public IStateSnapshot Capture() => PartitionSnapshots.Capture(this, _parts);

    public void Restore(Stream snapshot)
    {
        var restored = PartitionSnapshots.Read(snapshot, _parts);
        _sessions = restored.Sessions;
        _store = restored.Store;
        AppliedIndex = restored.AppliedIndex;
        AppliedTerm = restored.AppliedTerm;
        TimeMs = restored.TimeMs;
        foreach (var part in restored.Parts) part.Complete();
        CountBytes();
    }

    CommandReply Apply(PartitionCommand command)
    {
        TimeMs = Math.Max(TimeMs, command.TimeMs);
        if (command.Session is not { } session)
        {
            var plain = Execute(command);
            CountBytes();
            return plain;
        }

        if (_sessions.Begin(session, command.RequestHash, TimeMs, out var reply) != SessionVerdict.Execute) return reply!;
        reply = Execute(command);
        // A reply that promises "nothing changed" is not kept: the same sequence may be tried again.
        if (reply.Failure?.Outcome != OutcomeKind.NotExecuted) _sessions.Store(session, reply, command.RequestHash);
        CountBytes();
        return reply;
    }

    CommandReply Execute(PartitionCommand command)
    {
        switch (command.OpCase)
        {
            case PartitionCommand.OpOneofCase.Put:
                _store.Put(command.Put.Key, command.Put.Value, AppliedIndex);
                return new CommandReply { Version = AppliedIndex };
            case PartitionCommand.OpOneofCase.Delete:
                return new CommandReply { Version = AppliedIndex, Found = _store.Delete(command.Delete.Key, out _) };
            case PartitionCommand.OpOneofCase.OpenSession:
                _sessions.Open(AppliedIndex, command.OpenSession, TimeMs);
                return new CommandReply { SessionId = AppliedIndex };
            case PartitionCommand.OpOneofCase.ExpireSessions:
                _sessions.Expire(command.ExpireSessions, TimeMs);
                return new CommandReply();
            case PartitionCommand.OpOneofCase.Part:
                return FindPart(command.Part.Part).Apply(command.Part.Payload, new ApplyContext(AppliedIndex, AppliedTerm, TimeMs));
            default:
                Invariant.Fail("known command", $"partition {Partition}: entry {AppliedIndex} holds a command that this version does not know");
                return null!;
        }
    }

    IPartitionPart FindPart(string name)
    {
        foreach (var part in _parts)
            if (part.Name == name) return part;
        Invariant.Fail("known part", $"partition {Partition}: entry {AppliedIndex} is for part '{name}', which is not registered on this node");
        return null!;
    }

    void CountBytes()
    {
        var bytes = _store.Bytes + _sessions.ReplyBytes;
        foreach (var part in _parts) bytes += part.Bytes;
        Volatile.Write(ref _bytes, bytes);
    }
}
