using ActorCluster.Protocol;
using ActorCluster.Protocol.Membership;
using ActorCluster.Protocol.Raft;
using ActorCluster.Raft;
using Google.Protobuf;

namespace ActorCluster.Membership.Tests;

/// <summary>Short ways to say what a scenario begins with.</summary>
static class Build
{
    public const string Cluster = "c0ffee";

    public static NodeUid Uid(ulong n) => new(n);

    public static NodeInfo Node(ulong uid, ulong incarnation = 1, string? address = null, string? name = null) => new()
    {
        Uid = uid,
        Incarnation = incarnation,
        Name = name ?? $"node-{uid}",
        Address = address ?? $"n{uid}:4050",
        SystemId = $"{uid}-{incarnation}",
    };

    public static FormedCluster Formed(params ulong[] uids)
    {
        var cluster = new FormedCluster { ClusterId = Cluster, Partitions = 16, ReplicationFactor = 3 };
        cluster.Members.Add(uids.Select(u => Node(u)));
        cluster.CoordinatorVoters.Add(uids.Take(uids.Length >= 3 ? 3 : 1));
        return cluster;
    }

    public static CoordinatorCommand Command(Action<CoordinatorCommand> fill)
    {
        var command = new CoordinatorCommand { ClusterId = Cluster };
        fill(command);
        return command;
    }

    public static CoordinatorResult Decide(this CoordinatorStateMachine machine, Action<CoordinatorCommand> fill) =>
        (CoordinatorResult)machine.Apply(new Entry
        {
            Index = machine.AppliedIndex + 1,
            Term = 1,
            Kind = EntryKind.Command,
            Payload = Command(fill).ToByteString(),
        })!;

    /// <summary>A coordinator whose first members are all Up.</summary>
    public static CoordinatorStateMachine Coordinator(params ulong[] uids)
    {
        var machine = new CoordinatorStateMachine();
        machine.Decide(c => c.Form = Formed(uids));
        machine.Decide(c => c.Admit = new AdmitDecision { Uids = { uids } });
        return machine;
    }

    /// <summary>The table of a node that knows a view.</summary>
    public static MemberTable Table(ulong self, CommittedView view, ulong incarnation = 1)
    {
        var table = new MemberTable(Uid(self));
        table.BelongTo(Cluster);
        table.SetSelf(Node(self, incarnation));
        table.ApplySnapshot(view);
        table.DrainEvents();
        return table;
    }

    public static Observation Unreachable(ulong subject, ulong observer, ulong incarnation = 1, ulong counter = 0) => new()
    {
        Subject = subject,
        Incarnation = incarnation,
        Counter = counter,
        Reachability = Reachability.ObservedUnreachable,
        Observer = observer,
        Evidence = $"node-{observer} missed it",
        Node = Node(subject, incarnation),
    };

    public static IRandomSource Random(ulong seed = 1) => new Xoshiro256(seed);
}
