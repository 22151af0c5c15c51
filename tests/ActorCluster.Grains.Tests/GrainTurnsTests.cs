using ActorCluster.Protocol;
using ActorCluster.Protocol.Grains;
using ActorCluster.Protocol.Keyspace;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace ActorCluster.Grains.Tests;

public class GrainTurnsTests
{
    /// <summary>A text that can be set, and handlers that go wrong.</summary>
    sealed class TextGrain : ReplicatedGrain<StringValue>
    {
        public TextGrain()
        {
            On<StringValue>(text => { State.Value = text.Value; });
            On<Int32Value>(repeat => { State.Value = string.Concat(Enumerable.Repeat("x", repeat.Value)); });
            On<Empty>(_ => State);
            On<BoolValue>(_ =>
            {
                State.Value = "never seen";
                throw new InvalidOperationException("no");
            });
        }
    }

    static GrainTurns New(StoredGrain? stored = null) => new(new TextGrain(), "text", "x", new Epoch(1, 2, 3), stored ?? StoredGrain.New);

    static GrainRequest Request(IMessage message) => new(message, message.Descriptor.FullName, null, 0);

    static string Value(GrainTurns turns)
    {
        var turn = turns.Run(Request(new Empty()), DateTimeOffset.UnixEpoch);
        turns.Discard();
        Assert.Null(turn.NewState);
        return ((StringValue)turn.Reply!).Value;
    }

    [Fact]
    public void A_turn_is_seen_only_after_it_was_committed()
    {
        var turns = New();
        var turn = turns.Run(Request(new StringValue { Value = "a" }), DateTimeOffset.UnixEpoch);
        Assert.IsType<Empty>(turn.Reply);
        turns.Discard();
        Assert.Equal("", Value(turns));

        turn = turns.Run(Request(new StringValue { Value = "b" }), DateTimeOffset.UnixEpoch);
        var command = turns.Command(Request(new StringValue { Value = "b" }), turn);
        Assert.Equal((0ul, "text", "x", "google.protobuf.Empty"), (command.BaseVersion, command.Kind, command.Identity, command.ReplyType));
        turns.Committed(turn, 17);
        Assert.Equal("b", Value(turns));
        Assert.Equal(17ul, turns.Version);
    }

    [Fact]
    public void A_turn_that_leaves_the_state_as_it_is_proposes_nothing()
    {
        var turns = New(new StoredGrain(new StringValue { Value = "a" }.ToByteString(), new Epoch(1, 1, 2), 5));
        Assert.Equal("a", Value(turns));
        Assert.Null(turns.Run(Request(new StringValue { Value = "a" }), DateTimeOffset.UnixEpoch).NewState);
    }

    [Fact]
    public void A_handler_that_throws_answers_GrainFailed_and_changes_nothing()
    {
        var turns = New(new StoredGrain(new StringValue { Value = "a" }.ToByteString(), new Epoch(1, 1, 2), 5));
        var turn = turns.Run(Request(new BoolValue()), DateTimeOffset.UnixEpoch);
        Assert.Equal((OutcomeKind.NotExecuted, ErrorCode.GrainFailed), (turn.Failure!.Outcome, turn.Failure.Code));
        Assert.Contains("InvalidOperationException: no", turn.Failure.Message, StringComparison.Ordinal);
        Assert.Equal("a", Value(turns));
    }

    [Fact]
    public void A_state_over_the_limit_is_refused()
    {
        var turns = New();
        var turn = turns.Run(Request(new Int32Value { Value = Limits.MaxValueBytes }), DateTimeOffset.UnixEpoch);
        Assert.Equal((OutcomeKind.NotExecuted, ErrorCode.ValueTooLarge), (turn.Failure!.Outcome, turn.Failure.Code));
        Assert.Equal("", Value(turns));
    }

    [Fact]
    public void What_is_sent_is_checked_before_it_runs()
    {
        var turns = New();
        Assert.Equal(ErrorCode.InvalidArgument, turns.Run(Request(new CounterGet()), DateTimeOffset.UnixEpoch).Failure!.Code);
        Assert.Equal(ErrorCode.ValueTooLarge, turns.Read(new StringValue { Value = new string('x', Limits.MaxValueBytes) }).Failure!.Code);
        Assert.Equal(ErrorCode.InvalidArgument, turns.Read(new GrainCall { MessageType = "nobody.Knows" }).Failure!.Code);
        Assert.Equal(ErrorCode.InvalidArgument, turns.Read(new GrainCall { MessageType = "google.protobuf.Empty", Session = new SessionRef() }).Failure!.Code);
        Assert.Equal(ErrorCode.InvalidArgument, turns.Read(new GrainCall { MessageType = "google.protobuf.StringValue", Message = ByteString.CopyFrom(255, 255) }).Failure!.Code);
    }

    [Fact]
    public void A_repeat_of_a_call_has_the_same_hash_and_another_call_has_not()
    {
        var session = new SessionRef { SessionId = 1, Sequence = 1, LowestPending = 1 };
        GrainCall Call(string text) => new() { MessageType = "google.protobuf.StringValue", Message = new StringValue { Value = text }.ToByteString(), Session = session };
        var other = new GrainTurns(new TextGrain(), "text", "y", new Epoch(1, 2, 3), StoredGrain.New);

        var hash = New().Read(Call("a")).Request!.Hash;
        Assert.Equal(hash, New().Read(Call("a")).Request!.Hash);
        Assert.NotEqual(hash, New().Read(Call("b")).Request!.Hash);
        Assert.NotEqual(hash, other.Read(Call("a")).Request!.Hash);
    }

    [Fact]
    public void A_stored_state_that_is_none_of_the_grains_is_named() =>
        Assert.Contains("text/x", Assert.Throws<InvalidDataException>(() => New(new StoredGrain(ByteString.CopyFrom(255, 255), Epoch.None, 1))).Message, StringComparison.Ordinal);

    [Fact]
    public void Kinds_are_registered_once_under_good_names()
    {
        var kinds = new GrainKinds().Add<TextGrain>("text");
        Assert.Equal(["counter", "text"], kinds.Names);
        Assert.Contains(kinds.Files, f => f.Name == "actorcluster/grains.proto");
        Assert.Contains(kinds.Files, f => f.Name == "google/protobuf/wrappers.proto");
        Assert.Throws<ArgumentException>(() => kinds.Add<TextGrain>("text"));
        Assert.Throws<ArgumentException>(() => kinds.Add<TextGrain>("a/b"));
        Assert.Throws<ArgumentException>(() => kinds.Add<TextGrain>("kv"));
    }

    [Fact]
    public void The_counter_counts_and_refuses_to_overflow()
    {
        var turns = new GrainTurns(new CounterGrain(), "counter", "x", new Epoch(1, 1, 2), StoredGrain.New);
        var turn = turns.Run(Request(new CounterAdd { Amount = long.MaxValue }), DateTimeOffset.UnixEpoch);
        Assert.Equal(long.MaxValue, ((CounterValue)turn.Reply!).Value);
        turns.Committed(turn, 2);
        Assert.Equal(ErrorCode.GrainFailed, turns.Run(Request(new CounterAdd { Amount = 1 }), DateTimeOffset.UnixEpoch).Failure!.Code);
    }
}
