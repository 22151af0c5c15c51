using ActorCluster.Protocol;

namespace ActorCluster.Raft.Storage;

/// <summary>Something on disk is not as it must be. The node stops and says what and where.</summary>
public abstract class StorageException(string message, Exception? inner = null) : IOException(message, inner);

/// <summary>The disk has no room. What was reserved before is not concerned.</summary>
public sealed class DiskFullException(string path, Exception? inner = null) : StorageException($"There is no room on the disk for '{path}'.", inner)
{
    public string Path { get; } = path;
}

/// <summary>Somebody else holds a lock.</summary>
public sealed class FileLockedException(string path, Exception? inner = null)
    : StorageException($"'{path}' is locked by another process.", inner)
{
    public string Path { get; } = path;
}

/// <summary>
/// A part of the log that was durable cannot be read back. The log is not changed: cutting it there would forget
/// acknowledged writes (fault A9). The way on is to replace this node's disk, or to repair it from a copy.
/// </summary>
/// <param name="segment">Name of the segment file.</param>
/// <param name="offset">Byte offset of the batch or record in it.</param>
/// <param name="group">The group it belonged to; null when that cannot be known.</param>
/// <param name="reason">What is wrong.</param>
public sealed class LogDamagedException(string segment, long offset, GroupId? group, string reason)
    : StorageException(
        $"The log is damaged: segment {segment}, offset {offset}, group {(group is { } g ? g.ToString() : "unknown")}: {reason}. " +
        "It was durable before, so it is not cut; nothing was changed.")
{
    public string Segment { get; } = segment;

    public long Offset { get; } = offset;

    public GroupId? Group { get; } = group;

    public string Reason { get; } = reason;
}

/// <summary>A snapshot that must be there is missing or cannot be read.</summary>
public sealed class SnapshotDamagedException(string path, GroupId group, string reason)
    : StorageException($"Snapshot '{path}' of group {group} is damaged: {reason}.")
{
    public string Path { get; } = path;

    public GroupId Group { get; } = group;

    public string Reason { get; } = reason;
}

/// <summary>A small file of the data directory cannot be read back.</summary>
public sealed class FileDamagedException(string path, string reason) : StorageException($"'{path}' is damaged: {reason}.")
{
    public string Path { get; } = path;

    public string Reason { get; } = reason;
}

/// <summary>A file was written by another version of the software.</summary>
public sealed class UnsupportedFormatException(string path, uint version, uint supported)
    : StorageException($"'{path}' has format version {version}; this build reads version {supported}.")
{
    public string Path { get; } = path;

    public uint Version { get; } = version;

    public uint Supported { get; } = supported;
}
