using System.Globalization;
using ActorCluster.Protocol;

namespace ActorCluster.Raft.Storage;

/// <summary>A part of a node's storage that was durable and cannot be read back.</summary>
/// <param name="File">Name of the file.</param>
/// <param name="Offset">Byte offset of the batch or record in it.</param>
/// <param name="Group">Whose it was; null when that cannot be known, and every group of the segment may have lost something.</param>
/// <param name="Index">Index of the damaged entry; null when it is no entry or cannot be known.</param>
/// <param name="Reason">What is wrong.</param>
public sealed record LogDamage(string File, long Offset, GroupId? Group, ulong? Index, string Reason)
{
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{File}, offset {Offset}, group {(Group is { } g ? g.ToString() : "unknown")}{(Index is { } i ? $", index {i}" : "")}: {Reason}");
}
