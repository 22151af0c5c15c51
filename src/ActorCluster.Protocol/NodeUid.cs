using System.Globalization;

namespace ActorCluster.Protocol;

/// <summary>
/// The identity of a node's data directory: 64 random bits, made and synced once before the node speaks to anyone.
/// Raft voters, replicas and the partition map name uids, so a node that lost its disk can never answer for what it was.
/// </summary>
public readonly record struct NodeUid(ulong Value) : IComparable<NodeUid>
{
    /// <summary>No node: an empty vote, an unknown leader.</summary>
    public static readonly NodeUid None = new(0);

    public bool IsNone => Value == 0;

    public int CompareTo(NodeUid other) => Value.CompareTo(other.Value);

    /// <summary>16 hexadecimal digits; "-" for <see cref="None"/>.</summary>
    public override string ToString() => IsNone ? "-" : Value.ToString("x16", CultureInfo.InvariantCulture);

    public static NodeUid Parse(string text) => text == "-" ? None : new(ulong.Parse(text, NumberStyles.HexNumber, CultureInfo.InvariantCulture));
}
