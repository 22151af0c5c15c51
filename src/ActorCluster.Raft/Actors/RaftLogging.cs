using ActorCluster.Protocol;
using ActorCluster.Raft.Storage;
using Microsoft.Extensions.Logging;

namespace ActorCluster.Raft.Actors;

static partial class RaftLogging
{
    /// <summary>Category of the line per applied entry.</summary>
    public const string ApplyCategory = "ActorCluster.Raft.Apply";

    [LoggerMessage(Level = LogLevel.Debug, Message = "[apply] group={Group} index={Index} term={Term} kind={Kind}")]
    public static partial void Applied(ILogger logger, ulong group, ulong index, ulong term, string kind);

    [LoggerMessage(Level = LogLevel.Information, Message = "group {Group}: {Role} in term {Term}, leader {Leader}")]
    public static partial void LeadershipChanged(ILogger logger, GroupId group, RaftRole role, ulong term, NodeUid leader);

    [LoggerMessage(Level = LogLevel.Information, Message = "group {Group}: snapshot at index {Index}, {SizeBytes} bytes")]
    public static partial void SnapshotTaken(ILogger logger, GroupId group, ulong index, ulong sizeBytes);

    [LoggerMessage(Level = LogLevel.Information, Message = "group {Group}: snapshot at index {Index} goes to {To}")]
    public static partial void SnapshotGoes(ILogger logger, GroupId group, ulong index, NodeUid to);

    [LoggerMessage(Level = LogLevel.Information, Message = "group {Group}: snapshot at index {Index} from the leader installed")]
    public static partial void SnapshotInstalled(ILogger logger, GroupId group, ulong index);

    [LoggerMessage(Level = LogLevel.Error, Message = "group {Group}: this replica is suspect and neither votes nor counts until a leader has repaired it: {Suspicion}")]
    public static partial void Suspect(ILogger logger, GroupId group, Suspicion suspicion);

    [LoggerMessage(Level = LogLevel.Information, Message = "group {Group}: this replica was repaired by {Leader} and is trusted again")]
    public static partial void Trusted(ILogger logger, GroupId group, NodeUid leader);

    [LoggerMessage(Level = LogLevel.Warning, Message = "group {Group}: no room for a snapshot")]
    public static partial void NoRoomForSnapshot(ILogger logger, Exception error, GroupId group);

    [LoggerMessage(Level = LogLevel.Warning, Message = "group {Group}: snapshot at index {Index} cannot be put together in {Directory}")]
    public static partial void ScratchFailed(ILogger logger, Exception error, GroupId group, ulong index, string directory);

    [LoggerMessage(Level = LogLevel.Critical, Message = "consensus on this node failed and the node must stop: {Where}")]
    public static partial void Failed(ILogger logger, Exception error, string where);
}
