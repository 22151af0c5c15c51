using ActorCluster.Protocol.Membership;
using ActorCluster.Raft;

namespace ActorCluster.Membership.Tests;

/// <summary>
/// Blank nodes at fixed addresses, a network that loses, repeats and reorders, disks that lose what is not synced, and
/// nodes that crash or lose their disk. One seed, one history.
/// </summary>
sealed class FormingWorld
{
    readonly Xoshiro256 _random;
    readonly FormingSettings _settings;
    readonly string[] _seeds;
    readonly List<(string To, FormingMessage Message)> _network = [];
    ulong _uids;
    long _now;

    public FormingWorld(ulong seed, int nodes, int expect)
    {
        _random = new Xoshiro256(seed);
        _settings = new FormingSettings { Expect = (uint)expect, Partitions = 16, ReplicationFactor = 3 };
        _seeds = [.. Enumerable.Range(0, nodes).Select(i => $"n{i}:1")];
        Nodes = [.. _seeds.Select(address => new Node(address, ++_uids))];
    }

    public Node[] Nodes { get; }

    /// <summary>Every value that some node reported as formed, by the uid that reported it.</summary>
    public List<(ulong Uid, FormedCluster Cluster)> Reports { get; } = [];

    public HashSet<ulong> Wiped { get; } = [];

    public double Loss { get; set; }

    public int LostDisks { get; private set; }

    public void Start(Node node)
    {
        node.Incarnation++;
        if (node.Disk?.Formed is { } formed) node.ClusterId = formed.ClusterId; // synced, then crashed before it could say so
        node.Running = new FormingNode(
            new NodeInfo { Uid = node.Uid, Incarnation = node.Incarnation, Name = node.Address, Address = node.Address },
            _settings, _seeds, node.ClusterId, node.Disk?.Clone(), _random.Split(node.Uid));
        node.Writes.Clear();
    }

    /// <summary>Whatever is under way is lost.</summary>
    public void DropMessages() => _network.Clear();

    public void Crash(Node node)
    {
        // Of the writes not yet synced any number, in order, may be on disk nevertheless.
        for (var kept = _random.Next(node.Writes.Count + 1); kept > 0; kept--) node.Disk = node.Writes.Dequeue().State;
        node.Writes.Clear();
        node.Running = null;
    }

    public void Wipe(Node node)
    {
        Crash(node);
        Wiped.Add(node.Uid);
        LostDisks++;
        node.Disk = null;
        node.ClusterId = "";
        node.Uid = (_random.NextUInt64() << 16) + ++_uids;
        node.Incarnation = 0;
    }

    public void Tick(Node node)
    {
        _now += _random.Next(40);
        if (node.Running is { } running) Act(node, running.Tick(_now));
    }

    /// <summary>One random thing: a message arrives, a write is synced, a node ticks.</summary>
    public void Step()
    {
        var node = Nodes[_random.Next(Nodes.Length)];
        switch (_random.Next(10))
        {
            case < 6 when _network.Count > 0:
                var index = _random.Next(_network.Count);
                var (to, message) = _network[index];
                if (!_random.Chance(0.05)) _network.RemoveAt(index); // else it will arrive again
                var target = Nodes.Single(n => n.Address == to);
                if (target.Running is { } running && !_random.Chance(Loss)) Act(target, running.Receive(message.Clone(), _now));
                break;
            case < 8:
                Sync(node);
                break;
            default:
                Tick(node);
                break;
        }

        if (_network.Count > 400) _network.RemoveRange(0, 200);
    }

    void Sync(Node node)
    {
        if (node.Running is not { } running || node.Writes.Count == 0) return;
        var (token, state) = node.Writes.Dequeue();
        node.Disk = state;
        Act(node, running.Persisted(token, _now));
    }

    void Act(Node node, IReadOnlyList<FormingOutput> outputs)
    {
        foreach (var output in outputs)
        {
            switch (output)
            {
                case SendForming send:
                    if (!_random.Chance(Loss)) _network.Add((send.Address, send.Message.Clone()));
                    break;
                case PersistForming persist:
                    node.Writes.Enqueue((persist.Token, persist.State.Clone()));
                    break;
                case ClusterFormed formed:
                    Assert.NotNull(node.Disk?.Formed);
                    node.ClusterId = formed.Cluster.ClusterId;
                    Reports.Add((node.Uid, formed.Cluster));
                    break;
                case ClusterFound found:
                    // Joining, as far as forming is concerned: from now on the node has an id on disk.
                    if (_random.Chance(0.3))
                    {
                        node.ClusterId = found.ClusterId;
                        node.Running!.Joined(found.ClusterId);
                    }

                    break;
            }
        }
    }

    internal sealed class Node(string address, ulong uid)
    {
        public string Address { get; } = address;
        public ulong Uid { get; set; } = uid;
        public ulong Incarnation { get; set; }
        public string ClusterId { get; set; } = "";
        public FormingNode? Running { get; set; }
        public FormingState? Disk { get; set; }
        public Queue<(ulong Token, FormingState State)> Writes { get; } = new();
    }
}
