using ActorCluster.Keyspace;
using ActorCluster.Protocol;
using ActorCluster.Protocol.Keyspace;
using ActorCluster.Protocol.Raft;
using ActorCluster.Raft;
using ActorCluster.Simulation.Histories;
using Google.Protobuf;

namespace ActorCluster.Simulation.Groups;

/// <summary>
/// The state machine of a simulated replica: the real <see cref="PartitionStateMachine"/>, with a part for counters, and
/// with the faults that a state machine can have.
/// </summary>
sealed class SimMachine(InjectedFault fault) : IStateMachine
{
    readonly PartitionStateMachine _inner = new(0, new CounterPart());

    public ulong AppliedIndex => _inner.AppliedIndex;

    public ulong AppliedTerm => _inner.AppliedTerm;

    public object? Apply(Entry entry)
    {
        if (fault == InjectedFault.NoSessionDeduplication && entry.Kind == EntryKind.Command)
        {
            var command = PartitionCommand.Parser.ParseFrom(entry.Payload);
            if (command.Session is not null)
            {
                command.Session = null;
                entry = new Entry(entry) { Payload = command.ToByteString() };
            }
        }

        return _inner.Apply(entry);
    }

    public IStateSnapshot Capture() => _inner.Capture();

    public void Restore(Stream snapshot)
    {
        if (fault == InjectedFault.SnapshotWithoutSessions) snapshot = ForgetReplies(snapshot);
        _inner.Restore(snapshot);
    }

    public string? Get(string key) =>
        key.StartsWith('c') ? _inner.Part<CounterPart>().Get(key) :
        _inner.Store.TryGet(key, out var entry) ? entry.Value.ToStringUtf8() : null;

    /// <summary>The command of a client's request; Get is none.</summary>
    public static ByteString Encode(ClientRequest request)
    {
        var session = request.Session == 0 ? null : new SessionRef
        {
            SessionId = request.Session,
            Sequence = request.Sequence,
            LowestPending = request.Sequence,
        };
        if (request.OpensSession)
            return Commands.Of(new KvRequest { OpenSession = new OpenSession { Owner = (ulong)request.Client } }, null, 0);
        return request.Kind switch
        {
            OperationKind.Put => Commands.Of(
                new KvRequest { Put = new KvPut { Key = request.Key, Value = ByteString.CopyFromUtf8(request.Argument) } }, session, 0),
            OperationKind.Delete => Commands.Of(new KvRequest { Delete = new KvDelete { Key = request.Key } }, session, 0),
            OperationKind.Add => Commands.Of(
                CounterPart.PartName, CounterPart.Payload(request.Key, request.Argument!), session, StableHash.Of(request.Key + request.Argument), 0),
            _ => throw new ArgumentOutOfRangeException(nameof(request), request.Kind, "not a command"),
        };
    }

    /// <summary>What a client is told of an applied command.</summary>
    public static ClientReply Decode(ClientRequest request, object? applied)
    {
        var reply = (CommandReply)applied!;
        if (reply.Failure is { } failure)
            return new ClientReply(request, failure.Outcome == OutcomeKind.NotExecuted ? OperationOutcome.NotExecuted : OperationOutcome.Unknown, null, 0);
        var result = request switch
        {
            { OpensSession: true } => null,
            { Kind: OperationKind.Delete } => reply.Found ? "true" : "false",
            { Kind: OperationKind.Add } => reply.PartReply.ToStringUtf8(),
            _ => null,
        };
        return new ClientReply(request, OperationOutcome.Ok, result, reply.SessionId);
    }

    static MemoryStream ForgetReplies(Stream snapshot)
    {
        var output = new MemoryStream();
        PartitionSnapshot chunk;
        do
        {
            chunk = PartitionSnapshot.Parser.ParseDelimitedFrom(snapshot);
            foreach (var session in chunk.Sessions) session.Replies.Clear();
            chunk.WriteDelimitedTo(output);
        }
        while (!chunk.End);

        output.Position = 0;
        return output;
    }
}

/// <summary>A request of a simulated client. Session 0: without a session.</summary>
sealed record ClientRequest(
    int Client,
    ulong Operation,
    int Attempt,
    GroupId Group,
    string Key,
    OperationKind Kind,
    string? Argument,
    bool OpensSession,
    ulong Session,
    ulong Sequence);

/// <summary>How it ended at the node that took it.</summary>
sealed record ClientReply(ClientRequest Request, OperationOutcome Outcome, string? Result, ulong OpenedSession);
