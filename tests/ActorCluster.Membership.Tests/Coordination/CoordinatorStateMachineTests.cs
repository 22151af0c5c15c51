using ActorCluster.Protocol;
using ActorCluster.Protocol.Membership;
using ActorCluster.Protocol.Raft;
using Google.Protobuf;
using static ActorCluster.Membership.Tests.Build;

namespace ActorCluster.Membership.Tests;

public class CoordinatorStateMachineTests
{
    [Fact]
    public void EveryDecisionThatChangesSomething_RaisesTheViewByOne()
    {
        var coordinator = Coordinator(1, 2, 3);
        Assert.Equal(2UL, coordinator.View.View);
        Assert.Equal(3UL, coordinator.Decide(c => c.Join = new JoinDecision { Node = Node(4) }).View);
        Assert.False(coordinator.Decide(c => c.Join = new JoinDecision { Node = Node(4) }).Changed); // a repeat
        Assert.False(coordinator.Decide(c => c.Form = Formed(1, 2, 3)).Changed);
        Assert.Equal(3UL, coordinator.View.View);
        Assert.Equal(4UL, coordinator.Decide(c => c.Update = Node(2, 2)).View);
        Assert.Equal(4UL, coordinator.View.Members.Single(m => m.Node.Uid == 2).View);
    }

    [Fact]
    public void NodeThatLostItsDisk_ReplacesItsOldUid_WhenThatIsNamedAsGone()
    {
        var coordinator = Coordinator(1, 2, 3);
        var result = coordinator.Decide(c => c.Join = new JoinDecision { Node = Node(9, address: "n2:4050", name: "node-2"), Replaces = { 2 } });
        Assert.True(result.Ok);
        Assert.Equal(MemberState.Removed, State(coordinator, 2));
        Assert.Equal(MemberState.Joining, State(coordinator, 9));
        Assert.Contains("empty data directory", coordinator.View.Members.Single(m => m.Node.Uid == 2).Reason, StringComparison.Ordinal);

        // `replaces` is no licence: a uid that stands in nobody's way stays.
        coordinator.Decide(c => c.Join = new JoinDecision { Node = Node(10), Replaces = { 1 } });
        Assert.Equal(MemberState.Up, State(coordinator, 1));
    }

    [Fact]
    public void IllegalTransitions_AreRefusedAndRecorded()
    {
        var coordinator = Coordinator(1, 2, 3);
        coordinator.Decide(c => c.Remove = new RemoveDecision { Uid = 3, Incarnation = 1, Reason = "test" });
        var view = coordinator.View;

        Assert.IsType<IllegalTransitionRefused>(coordinator.Decide(c => c.Update = Node(3, 9)).Refusal);
        Assert.IsType<IllegalTransitionRefused>(coordinator.Decide(c => c.Join = new JoinDecision { Node = Node(3, 1) }).Refusal);
        Assert.IsType<IllegalTransitionRefused>(coordinator.Decide(c => c.Remove = new RemoveDecision { Uid = 2, Incarnation = 0 }).Refusal);
        Assert.Equal(ErrorCode.NotAMember, coordinator.Decide(c => c.Leave = new LeaveDecision { Uid = 77 }).Error);
        Assert.Same(view, coordinator.View);

        Assert.True(coordinator.Decide(c => c.Join = new JoinDecision { Node = Node(3, 2) }).Ok); // removed, back with a newer incarnation
        Assert.Equal(MemberState.Joining, State(coordinator, 3));
    }

    [Theory]
    [InlineData(MemberState.Unspecified, MemberState.Up)]
    [InlineData(MemberState.Up, MemberState.Joining)]
    [InlineData(MemberState.Leaving, MemberState.Up)]
    [InlineData(MemberState.Removed, MemberState.Up)]
    [InlineData(MemberState.Removed, MemberState.Leaving)]
    [InlineData(MemberState.Up, MemberState.Unreachable)] // never committed
    public void Rules_RefuseWhatIsNotALife(MemberState from, MemberState to) => Assert.False(MemberRules.IsLegal(from, to));

    [Fact]
    public void CommandOfAnotherCluster_IsRefused()
    {
        var coordinator = Coordinator(1, 2, 3);
        var result = coordinator.Decide(c =>
        {
            c.ClusterId = "other";
            c.Leave = new LeaveDecision { Uid = 1 };
        });
        Assert.IsType<ClusterMismatch>(result.Refusal);
        Assert.Equal(ErrorCode.Conflict, coordinator.Decide(c => c.Form = new FormedCluster { ClusterId = "other" }).Error);
    }

    [Fact]
    public void Parts_GetTheirCommands_AndPublishTheMap()
    {
        var machine = new CoordinatorStateMachine([new MapPart()]);
        machine.Decide(c => c.Form = Formed(1, 2, 3));
        Assert.Equal((1UL, 1UL), (machine.View.Partitions.Version, machine.View.PartitionsView));
        machine.Decide(c => c.Admit = new AdmitDecision { Uids = { 1, 2, 3 } });
        Assert.Equal(1UL, machine.View.PartitionsView);

        var result = machine.Decide(c => c.Part = new CoordinatorPartCommand { Part = "map", Payload = new PartitionMap { Version = 7 }.ToByteString() });
        Assert.Equal(7UL, ((PartitionMap)result.Reply!).Version);
        Assert.Equal((7UL, 3UL), (machine.View.Partitions.Version, machine.View.PartitionsView));
        Assert.Equal(ErrorCode.InvalidArgument, machine.Decide(c => c.Part = new CoordinatorPartCommand { Part = "nobody" }).Error);
    }

    [Fact]
    public void Snapshot_RestoresEverything()
    {
        var machine = new CoordinatorStateMachine([new MapPart()]);
        machine.Decide(c => c.Form = Formed(1, 2, 3));
        machine.Decide(c => c.Admit = new AdmitDecision { Uids = { 1, 2 } });
        machine.Apply(new Entry { Index = 3, Kind = EntryKind.NoOp });
        var stream = new MemoryStream();
        var captured = machine.Capture();
        machine.Decide(c => c.Leave = new LeaveDecision { Uid = 1 }); // goes on while the snapshot is written
        captured.WriteTo(stream);

        var restored = new CoordinatorStateMachine([new MapPart()]);
        stream.Position = 0;
        restored.Restore(stream);
        Assert.Equal(captured.AppliedIndex, restored.AppliedIndex);
        Assert.Equal(3UL, restored.AppliedIndex);
        Assert.Equal(2UL, restored.View.View);
        restored.Decide(c => c.Leave = new LeaveDecision { Uid = 1 });
        Assert.Equal(CommittedViews.Hash(machine.View), CommittedViews.Hash(restored.View));
        Assert.Equal(machine.Formed, restored.Formed);
        Assert.Throws<InvalidDataException>(() => restored.Restore(new MemoryStream([1, 2, 3, 255])));
    }

    static MemberState State(CoordinatorStateMachine coordinator, ulong uid) => coordinator.View.Members.Single(m => m.Node.Uid == uid).State;

    sealed class MapPart : ICoordinatorPart
    {
        public string Name => "map";
        public PartitionMap? Partitions { get; private set; }
        public void Formed(FormedCluster cluster) => Partitions = new PartitionMap { Version = 1, ReplicationFactor = cluster.ReplicationFactor };

        public PartResult Apply(ByteString command, CommittedView view)
        {
            Partitions = PartitionMap.Parser.ParseFrom(command);
            return new PartResult(true, Partitions);
        }

        public ByteString Save() => Partitions?.ToByteString() ?? ByteString.Empty;

        public void Restore(ByteString state) => Partitions = PartitionMap.Parser.ParseFrom(state);
    }
}
