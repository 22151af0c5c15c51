using System.Net;
using System.Net.Sockets;

namespace ActorCluster.Membership.Tests;

/// <summary>Nodes of one cluster in this process, each with a directory and a port of its own.</summary>
sealed class ClusterFixture : IAsyncDisposable
{
    readonly string _root = Directory.CreateTempSubdirectory("membership-").FullName;
    readonly List<ClusterNode> _nodes = [];
    readonly int[] _ports;

    public ClusterFixture(int nodes) => _ports = FreePorts(nodes);

    public string[] Seeds => [.. _ports.Take(3).Select(p => $"127.0.0.1:{p}")];

    public async Task<ClusterNode> StartAsync(int index, int expect = 3, Actors.MembershipOptions? options = null)
    {
        var node = await ClusterNode.StartAsync($"node-{index}", DirectoryOf(index), _ports[index], Seeds, expect, options);
        _nodes.Add(node);
        return node;
    }

    public async Task<ClusterNode[]> StartThreeAsync(Actors.MembershipOptions? options = null)
    {
        ClusterNode[] nodes = [await StartAsync(0, options: options), await StartAsync(1, options: options), await StartAsync(2, options: options)];
        foreach (var node in nodes) await node.UpAsync();
        foreach (var node in nodes) await node.TableAsync(t => t.Members.Count == 3 && t.Members.Values.All(m => m.State == Protocol.Membership.MemberState.Up));
        return nodes;
    }

    public void Wipe(int index) => Directory.Delete(DirectoryOf(index), recursive: true);

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes) await node.DisposeAsync();
        Directory.Delete(_root, recursive: true);
    }

    string DirectoryOf(int index) => Path.Combine(_root, $"node-{index}");

    /// <summary>Ports that the system gave out a moment ago: nodes must know each other's before they listen.</summary>
    static int[] FreePorts(int count)
    {
        var sockets = Enumerable.Range(0, count).Select(_ => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)).ToArray();
        foreach (var socket in sockets) socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        int[] ports = [.. sockets.Select(s => ((IPEndPoint)s.LocalEndPoint!).Port)];
        foreach (var socket in sockets) socket.Dispose();
        return ports;
    }
}
