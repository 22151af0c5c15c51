using ActorCluster.Keyspace;
using ActorCluster.Protocol;
using ActorCluster.Protocol.Grains;
using ActorCluster.Protocol.Keyspace;
using ActorCluster.Protocol.Raft;
using Google.Protobuf;

namespace ActorCluster.Grains.Tests;

public class GrainStatePartTests
{
    readonly PartitionStateMachine _machine = new(0, new GrainStatePart());

    CommandReply Apply(GrainCommand command, SessionRef? session = null, ulong hash = 1) => Apply(_machine, command, session, hash);

    static CommandReply Apply(PartitionStateMachine machine, GrainCommand command, SessionRef? session = null, ulong hash = 1) => (CommandReply)machine.Apply(new Entry
    {
        Index = machine.AppliedIndex + 1,
        Term = 1,
        Payload = Commands.Of(GrainStatePart.PartName, command.ToByteString(), session, hash, 1_000),
    })!;

    static GrainCommand Turn(string state, Epoch epoch, ulong baseVersion, string identity = "x") => new()
    {
        Kind = "counter",
        Identity = identity,
        Epoch = epoch.ToMessage(),
        BaseVersion = baseVersion,
        HasState = true,
        State = ByteString.CopyFromUtf8(state),
        ReplyType = "reply",
        Reply = ByteString.CopyFromUtf8($"did {state}"),
    };

    StoredGrain Stored => _machine.Part<GrainStatePart>().Find("counter", "x");

    [Fact]
    public void One_entry_carries_state_reply_and_session()
    {
        var session = ((CommandReply)_machine.Apply(new Entry
        {
            Index = 1,
            Term = 1,
            Payload = new PartitionCommand { OpenSession = new OpenSession() }.ToByteString(),
        })!).SessionId;
        var reference = new SessionRef { SessionId = session, Sequence = 1, LowestPending = 1 };

        var first = Apply(Turn("one", new Epoch(1, 1, 2), 0), reference);
        Assert.Equal("did one", StoredGrainReply.Parser.ParseFrom(first.PartReply).Reply.ToStringUtf8());
        Assert.Equal((2ul, "one"), (Stored.Version, Stored.State.ToStringUtf8()));

        // The repeat was computed elsewhere, from the same state, and must not count twice.
        Assert.Equal(first, Apply(Turn("other", new Epoch(1, 2, 2), 0), reference));
        Assert.Equal("one", Stored.State.ToStringUtf8());
    }

    [Fact]
    public void A_command_of_a_lower_epoch_is_refused_and_changes_nothing()
    {
        Apply(Turn("one", new Epoch(1, 5, 2), 0));
        var stale = Apply(Turn("two", new Epoch(1, 4, 9), Stored.Version));
        Assert.Equal((OutcomeKind.NotExecuted, ErrorCode.StaleEpoch), (stale.Failure.Outcome, stale.Failure.Code));
        Assert.Equal(("one", new Epoch(1, 5, 2)), (Stored.State.ToStringUtf8(), Stored.Epoch));
    }

    [Fact]
    public void A_turn_computed_from_another_state_is_refused_even_under_a_higher_epoch()
    {
        Apply(Turn("one", new Epoch(1, 5, 2), 0));
        var lost = Apply(Turn("two", new Epoch(1, 5, 3), 0));
        Assert.Equal((OutcomeKind.NotExecuted, ErrorCode.StaleEpoch), (lost.Failure.Outcome, lost.Failure.Code));
        Assert.Equal("one", Stored.State.ToStringUtf8());
        Assert.Null(Apply(Turn("two", new Epoch(1, 5, 3), Stored.Version)).Failure);
    }

    [Fact]
    public void E12_Grains_and_their_epochs_survive_a_snapshot()
    {
        for (var i = 0; i < 300; i++) Apply(Turn($"state {i} {new string('x', 2000)}", new Epoch(2, 3, 4), 0, $"grain {i}"));
        Apply(Turn("one", new Epoch(2, 3, 5), 0));

        var bytes = new MemoryStream();
        _machine.Capture().WriteTo(bytes);
        var restored = new PartitionStateMachine(0, new GrainStatePart());
        restored.Restore(new MemoryStream(bytes.ToArray()));

        var again = new MemoryStream();
        restored.Capture().WriteTo(again);
        Assert.Equal(bytes.ToArray(), again.ToArray());
        Assert.Equal(_machine.Bytes, restored.Bytes);
        Assert.Equal(301, restored.Part<GrainStatePart>().Count);
        Assert.Equal(Stored, restored.Part<GrainStatePart>().Find("counter", "x"));
        Assert.Equal(ErrorCode.StaleEpoch, Apply(restored, Turn("late", new Epoch(2, 3, 4), Stored.Version)).Failure.Code);
    }
}
