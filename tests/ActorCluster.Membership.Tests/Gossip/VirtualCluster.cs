using ActorCluster.Protocol;
using ActorCluster.Protocol.Membership;
using ActorCluster.Raft;
using static ActorCluster.Membership.Tests.Build;

namespace ActorCluster.Membership.Tests;

/// <summary>Table, gossip and failure detection of several nodes on a virtual clock and a network that can be cut.</summary>
sealed class VirtualCluster
{
    readonly Xoshiro256 _random;
    readonly PriorityQueue<(ulong From, ulong To, object Message), (long At, ulong Order)> _network = new();
    readonly SortedDictionary<ulong, Node> _nodes = [];

    public VirtualCluster(ulong seed, int nodes)
    {
        _random = new Xoshiro256(seed);
        var uids = Enumerable.Range(1, nodes).Select(i => (ulong)i).ToArray();
        Coordinator = Build.Coordinator(uids);
        foreach (var uid in uids) Start(uid, 1);
    }

    public CoordinatorStateMachine Coordinator { get; }

    public long Now { get; private set; }

    public IEnumerable<Node> Nodes => _nodes.Values;

    /// <summary>Whether messages get from one node to another.</summary>
    public Func<ulong, ulong, bool> Connected { get; set; } = static (_, _) => true;

    public double Loss { get; set; }

    public Node this[ulong uid] => _nodes[uid];

    public void Start(ulong uid, ulong incarnation)
    {
        var table = Table(uid, Coordinator.View, incarnation);
        var gossip = new GossipEngine(table, _random.Split(uid));
        gossip.SetSelf(Build.Node(uid, incarnation));
        _nodes[uid] = new Node(uid, incarnation, table, gossip, new FailureDetector(Uid(uid), $"node-{uid}", _random.Split(uid)));
    }

    public void Kill(ulong uid) => _nodes.Remove(uid);

    /// <summary>A decision that one node learns from its coordinator replica.</summary>
    public void Commit(ulong learns, Action<CoordinatorCommand> fill)
    {
        Coordinator.Decide(fill);
        _nodes[learns].Table.ApplySnapshot(Coordinator.View);
        Changed(_nodes[learns]);
    }

    public void RunFor(long ms)
    {
        for (var end = Now + ms; Now < end; Now += 10)
        {
            while (_network.TryPeek(out var next, out var at) && at.At <= Now)
            {
                _network.Dequeue();
                if (_nodes.TryGetValue(next.To, out var target)) Deliver(target, next.From, next.Message);
            }

            foreach (var node in _nodes.Values)
            {
                Send(node, node.Detector.Tick(Now));
                if (Now % 200 == 0) Send(node, node.Gossip.Tick(Now));
                Changed(node);
            }
        }
    }

    void Deliver(Node node, ulong from, object message)
    {
        switch (message)
        {
            case Protocol.Membership.Gossip gossip: Send(node, node.Gossip.Receive(gossip.Clone(), Now)); break;
            case Probe probe when probe.To == node.Uid: Post(node.Uid, from, new ProbeAck { Subject = node.Uid, Incarnation = node.Incarnation, Sequence = probe.Sequence }); break;
            case IndirectProbe indirect: Post(node.Uid, indirect.Target, new Relayed(indirect)); break;
            case Relayed relayed: Post(node.Uid, from, new RelayedAck(relayed.Probe.From, new ProbeAck { Subject = node.Uid, Incarnation = node.Incarnation, Sequence = relayed.Probe.Sequence })); break;
            case RelayedAck ack: Post(node.Uid, ack.Asker, ack.Ack); break;
            case ProbeAck ack: Send(node, node.Detector.Receive(ack, Now)); break;
        }

        Changed(node);
    }

    void Changed(Node node)
    {
        foreach (var change in node.Table.DrainEvents().OfType<MemberStateChanged>()) node.Changes.Add((Now, change));
        if (ReferenceEquals(node.Seen, node.Table.Snapshot)) return;
        node.Seen = node.Table.Snapshot;
        node.Detector.SetMembers(node.Table.Members);
        Send(node, node.Gossip.Disseminate(Now));
    }

    void Send(Node node, IReadOnlyList<GossipOutput> outputs)
    {
        foreach (var output in outputs.OfType<SendGossip>()) Post(node.Uid, UidAt(output.Address), output.Message);
    }

    void Send(Node node, IReadOnlyList<DetectorOutput> outputs)
    {
        foreach (var output in outputs)
        {
            switch (output)
            {
                case SendProbe send: Post(node.Uid, UidAt(send.Address), send.Probe); break;
                case SendIndirectProbe send: Post(node.Uid, UidAt(send.RelayAddress), send.Probe); break;
                case Observed o: node.Table.Observe(o.Subject, o.Incarnation, o.Reachability, o.Evidence); break;
                case Answered a:
                    node.Gossip.Heard(a.Subject, a.Incarnation, Now);
                    if (node.Table.Find(a.Subject) is { } member && (member.State == MemberState.Unreachable || member.Suspected)) Send(node, node.Gossip.Question(member));
                    break;
            }
        }
    }

    void Post(ulong from, ulong to, object message)
    {
        if (Connected(from, to) && !_random.Chance(Loss)) _network.Enqueue((from, to, message), (Now + 1 + _random.Next(20), _random.NextUInt64()));
    }

    static ulong UidAt(string address) => ulong.Parse(address[1..^5], null);

    sealed record Relayed(IndirectProbe Probe);

    sealed record RelayedAck(ulong Asker, ProbeAck Ack);

    internal sealed record Node(ulong Uid, ulong Incarnation, MemberTable Table, GossipEngine Gossip, FailureDetector Detector)
    {
        public List<(long At, MemberStateChanged Change)> Changes { get; } = [];
        public MembershipSnapshot? Seen { get; set; }
        public MemberState StateOf(ulong uid) => Table.Find(new NodeUid(uid))!.State;
    }
}
