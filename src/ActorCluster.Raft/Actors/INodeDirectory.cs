using ActorCluster.Protocol;

namespace ActorCluster.Raft.Actors;

/// <summary>Where nodes are reached. Membership implements it; safe to call from any thread, and cheap.</summary>
public interface INodeDirectory
{
    /// <summary>The cluster address (host:port) of a node, or null while it is not known.</summary>
    string? AddressOf(NodeUid uid);
}
