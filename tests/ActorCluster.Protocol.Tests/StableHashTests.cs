namespace ActorCluster.Protocol.Tests;

public class StableHashTests
{
    /// <summary>Disk and wire depend on these numbers: a change here moves every key of every cluster (orleans #9855).</summary>
    [Theory]
    [InlineData("", 0xefd01f60ba992926)]
    [InlineData("a", 0x82a2a958a9bece5b)]
    [InlineData("user:42", 0x998817bee6718248)]
    [InlineData("grüße, 世界", 0x90e601324304134d)]
    public void Golden(string text, ulong expected) => Assert.Equal(expected, StableHash.Of(text));
}
