using ActorCluster.Protocol;
using ActorCluster.Protocol.Keyspace;
using ActorCluster.Protocol.Raft;
using Google.Protobuf;

namespace ActorCluster.Keyspace.Tests;

/// <summary>
/// A state machine with a log: applies commands as the log's next entry. With <c>captureEvery</c> it takes (and compares)
/// a snapshot now and then and goes on from a machine restored from it, as a replica that was restarted does.
/// </summary>
sealed class TestPartition(int captureEvery = 0)
{
    public PartitionStateMachine Machine { get; private set; } = New();

    public ulong TimeMs { get; set; } = 1_000;

    static PartitionStateMachine New() => new(0, new EchoPart());

    public CommandReply Apply(PartitionCommand command)
    {
        var index = Machine.AppliedIndex + 1;
        var reply = (CommandReply)Machine.Apply(new Entry { Index = index, Term = 1, Kind = EntryKind.Command, Payload = command.ToByteString() })!;
        if (captureEvery > 0 && index % (ulong)captureEvery == 0) Machine = Restored(Machine);
        return reply;
    }

    public static byte[] Snapshot(PartitionStateMachine machine)
    {
        var stream = new MemoryStream();
        machine.Capture().WriteTo(stream);
        return stream.ToArray();
    }

    public static PartitionStateMachine Restored(PartitionStateMachine machine)
    {
        var bytes = Snapshot(machine);
        var restored = New();
        restored.Restore(new MemoryStream(bytes));
        Assert.Equal(bytes, Snapshot(restored));
        return restored;
    }

    public ulong OpenSession(string label = "test") =>
        Apply(new PartitionCommand { TimeMs = TimeMs, OpenSession = new OpenSession { Label = label, Owner = 7 } }).SessionId;

    public CommandReply Put(string key, string value, ulong session = 0, ulong sequence = 0, ulong lowestPending = 0)
    {
        var request = new KvRequest { Put = new KvPut { Key = key, Value = ByteString.CopyFromUtf8(value) } };
        return Apply(PartitionCommand.Parser.ParseFrom(Commands.Of(request, Reference(session, sequence, lowestPending), TimeMs)));
    }

    public CommandReply Delete(string key) =>
        Apply(PartitionCommand.Parser.ParseFrom(Commands.Of(new KvRequest { Delete = new KvDelete { Key = key } }, null, TimeMs)));

    public CommandReply Part(string text, ulong session, ulong sequence, ulong lowestPending = 0) =>
        Apply(PartitionCommand.Parser.ParseFrom(Commands.Of("echo", ByteString.CopyFromUtf8(text), Reference(session, sequence, lowestPending), 1, TimeMs)));

    /// <summary>Counts how often it is applied.</summary>
    public CommandReply Count(string what, SessionRef reference) =>
        Apply(PartitionCommand.Parser.ParseFrom(Commands.Of("echo", ByteString.CopyFromUtf8($"count {what}"), reference, StableHash.Of(what), TimeMs)));

    public int Effects(string what) => Machine.Part<EchoPart>().Counts.GetValueOrDefault(what);

    public string? Get(string key) => Machine.Store.TryGet(key, out var entry) ? entry.Value.ToStringUtf8() : null;

    static SessionRef? Reference(ulong session, ulong sequence, ulong lowestPending) =>
        session == 0 ? null : new SessionRef { SessionId = session, Sequence = sequence, LowestPending = lowestPending };

    /// <summary>A part that answers with what it got, refuses "refuse", and counts what it is told to count.</summary>
    public sealed class EchoPart : IPartitionPart
    {
        public SortedDictionary<string, int> Counts { get; private set; } = new(StringComparer.Ordinal);

        public string Name => "echo";

        public long Bytes => Counts.Count;

        public CommandReply Apply(ByteString payload, in ApplyContext context)
        {
            var text = payload.ToStringUtf8();
            if (text == "refuse") return new CommandReply { Failure = Failures.NotExecuted(ErrorCode.Conflict, "as asked") };
            if (!text.StartsWith("count ", StringComparison.Ordinal)) return new CommandReply { PartReply = payload };
            var what = text["count ".Length..];
            Counts[what] = Counts.GetValueOrDefault(what) + 1;
            return new CommandReply { Version = context.Index };
        }

        public IEnumerable<ByteString> Capture() => [.. Counts.Select(c => ByteString.CopyFromUtf8($"{c.Key}={c.Value}"))];

        public IPartRestore BeginRestore() => new Restore(this);

        sealed class Restore(EchoPart part) : IPartRestore
        {
            readonly SortedDictionary<string, int> _counts = new(StringComparer.Ordinal);

            public void Add(ByteString chunk)
            {
                var text = chunk.ToStringUtf8().Split('=');
                _counts.Add(text[0], int.Parse(text[1], null));
            }

            public void Complete() => part.Counts = _counts;
        }
    }
}
