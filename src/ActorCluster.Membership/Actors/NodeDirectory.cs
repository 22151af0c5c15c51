using System.Collections.Concurrent;
using ActorCluster.Protocol;
using ActorCluster.Protocol.Membership;
using ActorCluster.Raft.Actors;

namespace ActorCluster.Membership.Actors;

/// <summary>
/// Where nodes are: uid → what the newest incarnation heard of said. Fed by the table and by every sender of gossip of the
/// own cluster, so that Raft groups find each other before any view is known. Safe from any thread.
/// </summary>
public sealed class NodeDirectory : INodeDirectory
{
    /// <summary>Most nodes kept; members are always among them.</summary>
    const int MaxNodes = 4096;

    readonly ConcurrentDictionary<NodeUid, NodeInfo> _nodes = new();

    /// <summary>host:port of a node, or null when nothing is known of it.</summary>
    public string? AddressOf(NodeUid uid) => _nodes.TryGetValue(uid, out var node) ? node.Address : null;

    /// <summary>For people: the node's name, or its uid.</summary>
    public string NameOf(NodeUid uid) => _nodes.TryGetValue(uid, out var node) ? node.Name : uid.ToString();

    /// <summary>The node's newest words, or null.</summary>
    public NodeInfo? Find(NodeUid uid) => _nodes.GetValueOrDefault(uid);

    internal void Learn(NodeInfo node)
    {
        var uid = new NodeUid(node.Uid);
        if (!_nodes.ContainsKey(uid) && _nodes.Count >= MaxNodes) return;
        _nodes.AddOrUpdate(uid, node, (_, known) => node.Incarnation >= known.Incarnation ? node : known);
    }
}
