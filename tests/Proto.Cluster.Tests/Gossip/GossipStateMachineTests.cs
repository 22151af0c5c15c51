using Google.Protobuf.WellKnownTypes;
using Proto.Cluster.Gossip;

namespace Proto.Cluster.Tests.Gossip;

public sealed class GossipStateMachineTests
{
    const int MaxSend = 50;

    [Fact]
    public void An_entry_reaches_a_peer_that_answers_what_it_knows_and_is_then_no_news()
    {
        var (a, b) = Pair();
        a.Set("color", Text("red"), 0);
        Assert.True(a.HasNewsFor("b"));

        var updates = b.Merge(a.DeltaFor("b", MaxSend), 7);
        a.PeerKnows("b", b.Known());

        Assert.Equal(new GossipUpdate("a", "color", Text("red"), 1), Assert.Single(updates));
        Assert.Equal(7, b.Find("a", "color")!.LocalTimestampUnixMilliseconds);
        Assert.False(a.HasNewsFor("b"));
    }

    [Fact]
    public void Only_the_owner_changes_its_entries()
    {
        var (a, b) = Pair();
        a.Set("color", Text("red"), 0);

        b.Merge(Forged("b", "color", 99, "black"), 0);
        a.Merge(Forged("a", "color", 99, "black"), 0);

        Assert.Null(b.Find("b", "color"));
        Assert.Equal(Text("red"), a.Find("a", "color")!.Value);
    }

    [Fact]
    public void Of_one_key_the_entry_with_the_highest_number_counts_whatever_comes_last()
    {
        var (a, b) = Pair();
        a.Set("color", Text("red"), 0);
        var old = a.DeltaFor("b", MaxSend);
        a.Set("color", Text("blue"), 0);

        b.Merge(a.DeltaFor("b", MaxSend), 0);
        Assert.Empty(b.Merge(old, 0));

        Assert.Equal(Text("blue"), b.Find("a", "color")!.Value);
    }

    [Fact]
    public void Entries_of_a_member_that_is_none_any_more_are_forgotten_and_not_taken_again()
    {
        var (a, b) = Pair();
        a.Set("color", Text("red"), 0);
        var delta = a.DeltaFor("b", MaxSend);
        b.Merge(delta, 0);

        b.SetMembers(["b"]);

        Assert.Null(b.Find("a", "color"));
        Assert.Empty(b.Merge(delta, 0));
    }

    [Fact]
    public void A_peer_that_forgot_a_member_gets_its_entries_again_when_it_is_back()
    {
        var (a, b) = Pair();
        a.Set("color", Text("red"), 0);
        b.Merge(a.DeltaFor("b", MaxSend), 0);
        a.PeerKnows("b", b.Known());
        b.SetMembers(["b"]);
        b.SetMembers(["a", "b"]);

        a.PeerKnows("b", b.Known());

        Assert.True(a.HasNewsFor("b"));
        b.Merge(a.DeltaFor("b", MaxSend), 0);
        Assert.Equal(Text("red"), b.Find("a", "color")!.Value);
    }

    [Fact]
    public void Entries_after_a_gap_are_not_taken()
    {
        var (a, b) = Pair();
        a.Set("one", Text("1"), 0);
        b.Merge(a.DeltaFor("b", MaxSend), 0);
        a.PeerKnows("b", b.Known());
        a.Set("two", Text("2"), 0);
        var second = a.DeltaFor("b", MaxSend);

        // It forgets the first entry before the second arrives: with the second alone it would believe to have both.
        b.SetMembers(["b"]);
        b.SetMembers(["a", "b"]);

        Assert.Empty(b.Merge(second, 0));
        a.PeerKnows("b", b.Known());
        Assert.Equal(2, b.Merge(a.DeltaFor("b", MaxSend), 0).Count);
    }

    [Fact]
    public void What_a_peer_does_not_count_as_a_member_is_not_sent_to_it()
    {
        var (a, b) = Pair();
        a.SetMembers(["a", "b", "c"]);
        a.Merge(Forged("c", "color", 1, "green"), 0);
        Assert.True(a.HasNewsFor("b"));

        a.PeerKnows("b", b.Known());

        Assert.False(a.HasNewsFor("b"));
        Assert.True(a.DeltaFor("b", MaxSend).IsEmpty);
    }

    [Fact]
    public void A_large_state_travels_in_messages_of_bounded_size_without_losing_anything()
    {
        var (a, b) = Pair();
        for (var i = 0; i < 120; i++) a.Set($"key-{i}", Text("x"), 0);

        var messages = 0;
        for (; a.HasNewsFor("b"); messages++)
        {
            var delta = a.DeltaFor("b", MaxSend);
            Assert.InRange(delta.State.Members["a"].Values.Count, 1, MaxSend);
            b.Merge(delta, 0);
            a.PeerKnows("b", b.Known());
        }

        Assert.Equal(3, messages);
        Assert.Equal(120, b.Snapshot().Members["a"].Values.Count);
    }

    [Fact]
    public void Values_of_the_largest_size_travel_one_by_one()
    {
        var (a, b) = Pair();
        var large = new string('x', GossipLimits.MaxValueBytes - 200);
        for (var i = 0; i < 3; i++) a.Set($"key-{i}", Text(large), 0);

        var delta = a.DeltaFor("b", MaxSend);

        Assert.Single(delta.State.Members["a"].Values);
        Assert.Single(b.Merge(delta, 0));
    }

    [Fact]
    public void Limits_are_refused_by_name()
    {
        var (a, _) = Pair();

        var key = Assert.Throws<GossipLimitException>(() => a.Set(new string('k', GossipLimits.MaxKeyChars + 1), Text(""), 0));
        Assert.Equal(("characters of the key", GossipLimits.MaxKeyChars), (key.Field, key.Limit));
        var value = Assert.Throws<GossipLimitException>(() => a.Set("key", Text(new string('x', GossipLimits.MaxValueBytes)), 0));
        Assert.Equal(("bytes of the value", GossipLimits.MaxValueBytes), (value.Field, value.Limit));

        for (var i = 0; i < GossipLimits.MaxKeysPerMember; i++) a.Set($"key-{i}", Text(""), 0);
        var keys = Assert.Throws<GossipLimitException>(() => a.Set("one more", Text(""), 0));
        Assert.Equal(GossipLimits.MaxKeysPerMember, keys.Limit);
        a.Set("key-0", Text("again"), 0);
        Assert.Equal(GossipLimits.MaxKeysPerMember + 1, a.Find("a", "key-0")!.SequenceNumber);
    }

    [Fact]
    public void A_member_whose_entries_break_the_limits_is_not_believed()
    {
        var (_, b) = Pair();

        Assert.Empty(b.Merge(Forged("a", new string('k', GossipLimits.MaxKeyChars + 1), 1, "x"), 0));
        Assert.Empty(b.Merge(Forged("a", "key", 0, "x"), 0));
        Assert.Empty(b.Merge(Forged("a", "key", 1, new string('x', GossipLimits.MaxValueBytes)), 0));

        Assert.DoesNotContain("a", b.Snapshot().Members.Keys);
    }

    static (GossipStateMachine A, GossipStateMachine B) Pair()
    {
        var a = new GossipStateMachine("a");
        var b = new GossipStateMachine("b");
        a.SetMembers(["a", "b"]);
        b.SetMembers(["a", "b"]);
        return (a, b);
    }

    static GossipDelta Forged(string member, string key, long number, string value)
    {
        var values = new GossipState.Types.GossipMemberState();
        values.Values.Add(key, new GossipKeyValue { SequenceNumber = number, Value = Text(value) });
        var state = new GossipState();
        state.Members.Add(member, values);
        return new GossipDelta(state, new Dictionary<string, long>(StringComparer.Ordinal));
    }

    static Any Text(string text) => Any.Pack(new StringValue { Value = text });
}
