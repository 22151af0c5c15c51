using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Proto.Cluster;

public partial class Member
{
    /// <summary><c>host:port</c>, the address in the PIDs of the member's actors.</summary>
    public string Address => string.Create(CultureInfo.InvariantCulture, $"{Host}:{Port}");

    /// <summary>
    /// Both are at one address, and this one took it from the other: the process that started last is the one that listens there. Its own clock
    /// told it when, and all nodes see the same numbers.
    /// </summary>
    internal bool Supersedes(Member other) =>
        StartedUnixMs != other.StartedUnixMs ? StartedUnixMs > other.StartedUnixMs : string.CompareOrdinal(Id, other.Id) > 0;

    /// <summary>
    /// A short number for logs. Two different member sets may share it: sets are compared by their ids, and
    /// <see cref="ClusterTopology.TopologyHash"/> has 64 bits.
    /// </summary>
    public static uint TopologyHash(IEnumerable<Member> members) => (uint)TopologyHash64(members);

    /// <summary>The first 64 bits of SHA-256 over the sorted ids, each followed by a line feed.</summary>
    internal static ulong TopologyHash64(IEnumerable<Member> members)
    {
        var ids = members.Select(member => member.Id).Order(StringComparer.Ordinal);
        var text = string.Concat(ids.Select(id => id + "\n"));
        return BinaryPrimitives.ReadUInt64BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
    }
}

public partial class ClusterTopology
{
    /// <summary>Cancelled when a newer topology has taken this one's place. Not on the wire.</summary>
    public CancellationToken? TopologyValidityToken { get; init; }
}
