namespace Proto.Actor.Tests;

public sealed class MessageHeaderTests
{
    [Fact]
    public void Headers_are_extended_in_copies()
    {
        var first = MessageHeader.Empty.With("a", "1");
        var second = first.With(new Dictionary<string, string> { ["a"] = "2", ["b"] = "3" });
        var third = second.Extend([new("c", "4")]);

        Assert.Empty(MessageHeader.Empty);
        Assert.Equal("1", first["a"]);
        Assert.Equal(["a=2", "b=3", "c=4"], third.Select(entry => $"{entry.Key}={entry.Value}").Order(StringComparer.Ordinal));
        Assert.Equal("", third.GetOrDefault("none"));
        Assert.Equal("x", third.GetOrDefault("none", "x"));
        Assert.Equal(3, third.ToDictionary().Count);
    }

    [Fact]
    public void An_envelope_keeps_message_and_sender_when_its_header_changes()
    {
        var sender = new PID("a", "1");
        var envelope = MessageEnvelope.Wrap("text", sender).WithHeader("a", "1").MergeHeader(MessageHeader.Empty.With("b", "2"));

        Assert.Equal(("text", sender, "12"), (envelope.Message, envelope.Sender, envelope.GetHeader("a") + envelope.GetHeader("b")));
        Assert.Equal("none", envelope.GetHeader("c", "none"));
    }
}
