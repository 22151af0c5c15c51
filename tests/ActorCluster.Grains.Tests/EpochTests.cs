namespace ActorCluster.Grains.Tests;

public class EpochTests
{
    [Fact]
    public void B3_Epochs_compare_field_by_field_in_order()
    {
        Epoch[] ascending = [Epoch.None, new(1, 0, 9), new(1, 2, 1), new(1, 2, 2), new(1, 10, 1), new(2, 1, 1)];
        for (var i = 0; i < ascending.Length; i++)
        {
            for (var j = 0; j < ascending.Length; j++)
            {
                Assert.Equal(i.CompareTo(j), Math.Sign(ascending[i].CompareTo(ascending[j])));
                Assert.Equal(i < j, ascending[i] < ascending[j]);
                Assert.Equal(i > j, ascending[i] > ascending[j]);
                Assert.Equal(i <= j, ascending[i] <= ascending[j]);
                Assert.Equal(i >= j, ascending[i] >= ascending[j]);
            }
        }
    }

    [Theory]
    [InlineData("counter", "a", "counter/a@3.17.2")]
    [InlineData("kv", "7", "kv/7@3.17.2")]
    [InlineData("cart", "user@example.com/x@1.2.3", "cart/user@example.com/x@1.2.3@3.17.2")]
    [InlineData("cart", "grüße, 世界", "cart/grüße, 世界@3.17.2")]
    public void An_address_is_written_and_read(string kind, string identity, string id)
    {
        var address = new GrainAddress(kind, identity, new Epoch(3, 17, 2));
        Assert.Equal(id, address.Id);
        Assert.True(GrainAddress.TryParse(id, out var read, out _));
        Assert.Equal(address, read);
    }

    [Theory]
    [InlineData("counter/a", "'@'")]
    [InlineData("counter@1.2.3", "'/'")]
    [InlineData("/a@1.2.3", "kind")]
    [InlineData("counter/@1.2.3", "identity")]
    [InlineData("counter/a@1.2", "epoch")]
    [InlineData("counter/a@1.2.x", "epoch")]
    [InlineData("counter/a@1.2.3.4", "epoch")]
    [InlineData("counter/a@-1.2.3", "epoch")]
    [InlineData("counter/a@1. 2.3", "epoch")]
    [InlineData("counter/a@4294967296.2.3", "epoch")]
    public void What_is_no_address_is_refused_with_a_reason(string id, string reason)
    {
        Assert.False(GrainAddress.TryParse(id, out _, out var error));
        Assert.Contains(reason, error, StringComparison.Ordinal);
    }
}
