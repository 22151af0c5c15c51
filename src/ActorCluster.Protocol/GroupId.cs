using System.Globalization;

namespace ActorCluster.Protocol;

/// <summary>The identity of a Raft group. Never used again after the group is gone.</summary>
public readonly record struct GroupId(ulong Value) : IComparable<GroupId>
{
    /// <summary>The group that agrees on members and on the partition map.</summary>
    public static readonly GroupId Coordinator = new(1);

    /// <summary>Partition groups count from here, in the order in which the coordinator made them.</summary>
    public const ulong FirstPartition = 1000;

    public int CompareTo(GroupId other) => Value.CompareTo(other.Value);

    public override string ToString() => Value == 1 ? "coordinator" : Value.ToString(CultureInfo.InvariantCulture);
}
