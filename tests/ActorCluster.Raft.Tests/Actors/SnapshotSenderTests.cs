using ActorCluster.Protocol;
using ActorCluster.Protocol.Raft;
using ActorCluster.Raft.Actors;

namespace ActorCluster.Raft.Tests.Actors;

public sealed class SnapshotSenderTests
{
    const int Chunk = 10;

    static readonly byte[] Content = [.. Enumerable.Range(0, 45).Select(i => (byte)i)];

    static SnapshotSender Begun()
    {
        var meta = new SnapshotMeta { Index = 7, Term = 2, SizeBytes = (ulong)Content.Length };
        var sender = new SnapshotSender(new NodeUid(2), meta, new MemoryStream(Content), Chunk);
        sender.Begin();
        return sender;
    }

    /// <summary>Sends until delivered to a follower that has so much already; returns what arrived.</summary>
    static byte[] Deliver(SnapshotSender sender, byte[] kept)
    {
        var received = kept.ToList();
        for (var messages = 0; !sender.Delivered; messages++)
        {
            Assert.True(messages < 20, "the snapshot does not move on");
            Assert.False(sender.MustBeginAgain);
            var chunk = sender.Chunk();
            if (chunk.Offset == (ulong)received.Count) received.AddRange(chunk.Data);
            sender.Confirm((ulong)received.Count);
        }

        return [.. received];
    }

    [Fact]
    public void Everything_arrives_in_order() => Assert.Equal(Content, Deliver(Begun(), []));

    // A follower that was paused longer than its leader waited: the next sender of the same snapshot begins at 0.
    [Theory]
    [InlineData(10)]
    [InlineData(30)]
    [InlineData(45)]
    public void E7_A_follower_that_kept_a_part_gets_the_rest_from_a_new_sender(int kept) =>
        Assert.Equal(Content, Deliver(Begun(), Content[..kept]));

    [Fact]
    public void A_follower_that_lost_what_it_had_makes_it_begin_again()
    {
        var sender = Begun();
        Assert.True(sender.Confirm(10));
        Assert.False(sender.Confirm(0));
        Assert.True(sender.MustBeginAgain);
    }
}
