using ActorCluster.Raft.Storage;

namespace ActorCluster.Raft.Tests.Storage;

public class Crc32CTests
{
    /// <summary>RFC 3720, appendix B.4; and the check value of the CRC catalogues for "123456789".</summary>
    [Fact]
    public void Known_values()
    {
        Assert.Equal(0x8a9136aau, Crc32C.Of(new byte[32]));
        Assert.Equal(0x62a8ab43u, Crc32C.Of(Enumerable.Repeat((byte)0xff, 32).ToArray()));
        Assert.Equal(0x46dd794eu, Crc32C.Of(Enumerable.Range(0, 32).Select(i => (byte)i).ToArray()));
        Assert.Equal(0xe3069283u, Crc32C.Of("123456789"u8));
    }
}
