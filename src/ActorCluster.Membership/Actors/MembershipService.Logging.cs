using ActorCluster.Protocol;
using ActorCluster.Protocol.Membership;
using Microsoft.Extensions.Logging;

namespace ActorCluster.Membership.Actors;

public sealed partial class MembershipService
{
    [LoggerMessage(Level = LogLevel.Information, Message = "{Name} belongs to cluster {ClusterId}")]
    partial void LogBelongs(string clusterId, string name);

    [LoggerMessage(Level = LogLevel.Information, Message = "Found cluster {ClusterId} at {Address}: asking to join")]
    internal partial void LogClusterFound(string clusterId, string address);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Refused: {Problem}")]
    internal partial void LogRefused(string problem);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Joining through {Address} was refused: {Problem}; asking again")]
    internal partial void LogJoinRefused(string address, string problem);

    [LoggerMessage(Level = LogLevel.Warning, Message = "This node was removed ({Reason}); it joins again as incarnation {Incarnation}")]
    internal partial void LogRemoved(string reason, ulong incarnation);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Name}: {Previous} -> {Current} (incarnation {Incarnation}, view {View}): {Evidence}")]
    partial void LogState(string name, MemberState previous, MemberState current, ulong incarnation, ulong view, string evidence);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Name} runs again: incarnation {Previous} -> {Incarnation}")]
    partial void LogRestarted(string name, ulong previous, ulong incarnation);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Node {Requested} may not join as {Address}: {Reason}")]
    partial void LogConflict(NodeUid requested, string address, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "Refuted what {Observer} observed of this node: {Evidence}")]
    partial void LogRefuted(string observer, string evidence);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Refused: {Event}")]
    partial void LogOdd(MembershipEvent @event);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Stopping was not announced to the others")]
    partial void LogNotAnnounced(Exception failure);

    [LoggerMessage(Level = LogLevel.Critical, Message = "Membership failed: the node must stop")]
    partial void LogFailed(Exception failure);
}
