using System.Globalization;
using System.Text;
using ActorCluster.Protocol;
using ActorCluster.Protocol.Raft;
using ActorCluster.Raft;
using ActorCluster.Simulation.Histories;

namespace ActorCluster.Simulation.Groups;

/// <summary>
/// One run: real cores and real storage code of several groups on several nodes, over a simulated network, simulated disks
/// and virtual time; clients; a nemesis; an oracle that looks at every step. First safety under faults, then everything
/// heals and must come to life again, then every key is read through every node and the clients' history is judged.
/// </summary>
public sealed class GroupSimulation
{
    const long LivenessMicros = 120_000_000;
    readonly List<SimClient> _clients = [];

    GroupSimulation(SwarmOptions options)
    {
        Options = options;
        World = new SimWorld(options.Seed);
        Network = new SimNetwork(World, options.Nodes + options.Clients + 1, options.Network);
        Oracle = new ClusterOracle(options, Coverage);
        Groups = [.. Enumerable.Range(0, options.Groups).Select(g => new GroupId(GroupId.FirstPartition + (ulong)g))];
        Nemesis = new Nemesis(this);
        Nodes = [.. Enumerable.Range(0, options.Nodes).Select(i => new SimNode(this, i))];
    }

    internal SwarmOptions Options { get; }

    internal SimWorld World { get; }

    internal SimNetwork Network { get; }

    internal ClusterOracle Oracle { get; }

    internal Nemesis Nemesis { get; }

    internal HistoryRecorder History { get; } = new();

    internal Coverage Coverage { get; } = new();

    internal IReadOnlyList<GroupId> Groups { get; }

    internal IReadOnlyList<SimNode> Nodes { get; }

    /// <summary>Runs to the end or to the first violation. Never throws for what it finds.</summary>
    public static SimReport Run(SwarmOptions options, Action<SimEvent>? listener = null)
    {
        var simulation = new GroupSimulation(options);
        simulation.World.Trace.Listener = listener;
        string? failure = null;
        try
        {
            simulation.Run();
        }
        // The boundary of a run: whatever it was, it is the run's finding, with the seed that brings it back.
        catch (Exception e)
        {
            failure = simulation.Describe(e);
        }

        simulation.CountDisks();
        return new SimReport(
            options, failure, simulation.World.Trace.Hash, simulation.World.Steps, simulation.World.NowMicros, simulation.Coverage);
    }

    internal SimNode NodeOf(ulong uid) => Nodes[(int)uid - 1];

    internal GroupId GroupOf(string key) => Groups[(int)(StableHash.Of(key) % (ulong)Groups.Count)];

    internal void Trace(string kind, SimNode node, GroupId group, ulong a = 0, ulong b = 0, ulong c = 0) =>
        World.Trace.Add(new SimEvent(World.NowMicros, kind, node.Uid.Value, group.Value, a, b, c));

    /// <summary>A client's request leaves for a node.</summary>
    internal void Send(int client, int node, ClientRequest request)
    {
        var to = Nodes[node];
        var arrived = false;
        Network.Send(Options.Nodes + client, node, () =>
        {
            // Clients use connections, which do not deliver twice; with a session a repeat must do no harm all the same.
            if (arrived && request.Session == 0) return;
            arrived = true;
            Trace("request client operation attempt", to, request.Group, (ulong)client, request.Operation, (ulong)request.Attempt);
            to.Receive(request);
        });
    }

    /// <summary>A node's answer leaves for the client.</summary>
    internal void Reply(SimNode node, ClientReply reply)
    {
        var client = reply.Request.Client;
        Trace($"answer {reply.Outcome} client operation", node, reply.Request.Group, (ulong)client, reply.Request.Operation);
        Network.Send(node.Index, Options.Nodes + client, () => _clients[client].Receive(reply));
    }

    void Run()
    {
        foreach (var node in Nodes) node.Start(FirstConfig);
        for (var i = 0; i < Options.Clients; i++) _clients.Add(new SimClient(this, i, Options.OperationsPerClient));
        foreach (var client in _clients) client.Begin();
        Nemesis.Begin();

        World.RunUntil(() => false, Options.SafetyMicros);
        Nemesis.Heal();
        Await("the clients' operations end", () => _clients.All(c => c.IsDone));
        Await("every replica has applied everything", IsSettled);
        Scan();
        CompareStates();
        JudgeHistory();
    }

    /// <summary>Groups begin on different nodes when not all nodes are voters.</summary>
    GroupConfig FirstConfig(GroupId group)
    {
        var first = (int)(group.Value - Groups[0].Value);
        return new GroupConfig { Voters = { Enumerable.Range(first, Options.Voters).Select(i => Nodes[i % Nodes.Count].Uid.Value).Order() } };
    }

    void Await(string what, Func<bool> condition)
    {
        if (World.RunUntil(condition, World.NowMicros + LivenessMicros)) return;
        var text = new StringBuilder($"liveness: not reached {LivenessMicros / 1_000_000} s after everything healed: {what}\n");
        foreach (var client in _clients.Where(c => !c.IsDone)) text.AppendLine(client.ToString());
        foreach (var node in Nodes)
        {
            foreach (var replica in node.Replicas)
            {
                var core = replica.Core;
                text.AppendLine(
                    CultureInfo.InvariantCulture,
                    $"node {node.Uid.Value} group {core.Group} {core.Config}: {core.Role} term {core.Term} leader {core.Leader} commit {core.CommitIndex} applied {core.AppliedIndex} durable {core.DurableIndex} last {core.LastIndex}");
            }
        }

        throw new OracleViolationException(text.ToString());
    }

    bool IsSettled() => Groups.All(group =>
    {
        var replicas = Nodes.Select(n => n.Replica(group)).ToList();
        return replicas.All(r => r is { IsIdle: true })
            && replicas.Any(r => r!.Core.Role == RaftRole.Leader)
            && replicas.All(r => r!.Core.Voters.Count == Nodes.Count && r.Core.Config.OutgoingVoters.Count == 0)
            && replicas.Select(r => r!.Core.CommitIndex).Distinct().Count() == 1
            && replicas.Select(r => r!.Core.LastIndex).Distinct().Count() == 1
            && replicas.Select(r => r!.Core.Term).Distinct().Count() == 1;
    });

    void Scan()
    {
        var scanner = new SimClient(this, _clients.Count, operations: 0);
        _clients.Add(scanner);
        foreach (var key in History.Operations.Select(o => o.Key).Distinct().Order(StringComparer.Ordinal).ToList())
        {
            for (var node = 0; node < Options.Nodes; node++)
            {
                scanner.Scan(key, node);
                Await($"{key} is readable through node {node + 1}", () => scanner.IsScanned);
            }
        }
    }

    void CompareStates()
    {
        foreach (var group in Groups)
        {
            var states = Nodes.Select(n => (Node: n, n.Replica(group)!.AppliedIndex, Bytes: n.Replica(group)!.StateBytes())).ToList();
            foreach (var other in states.Skip(1))
            {
                ClusterOracle.Check(
                    other.AppliedIndex == states[0].AppliedIndex && other.Bytes.AsSpan().SequenceEqual(states[0].Bytes),
                    group,
                    $"the states of {states[0].Node.Uid} and {other.Node.Uid} differ at the end");
            }

            Coverage.Count("entries committed", (long)Oracle.CommittedTo(group));
        }
    }

    void JudgeHistory()
    {
        var operations = History.Operations;
        Coverage.Count("client operations", operations.Count);
        Coverage.Count("client operations answered", operations.Count(o => o.Outcome == OperationOutcome.Ok));
        var result = LinearizabilityChecker.Check(operations);
        if (!result.Ok) throw new OracleViolationException($"the history of {result.Key} is {result.Verdict}: {result.Explanation}");
    }

    void CountDisks()
    {
        foreach (var node in Nodes)
        {
            Coverage.Count("crash that lost unsynced writes", node.Disk.CrashesThatLost);
            Coverage.Count("torn write", node.Disk.TornWrites);
            Coverage.Count("sync", node.Disk.Syncs);
        }

        Coverage.Count("message", Network.Sent);
        Coverage.Count("message lost", Network.Lost);
        Coverage.Count("message duplicated", Network.Duplicated);
    }

    string Describe(Exception e)
    {
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"{e.GetType().Name}: {e.Message}");
        text.AppendLine(Options.ToString());
        text.AppendLine(CultureInfo.InvariantCulture, $"at {World.NowMicros / 1000.0:F3} ms, step {World.Steps}. The last events:");
        text.Append(World.Trace.Tail(60));
        if (e is not OracleViolationException) text.AppendLine(e.StackTrace);
        return text.ToString();
    }
}
