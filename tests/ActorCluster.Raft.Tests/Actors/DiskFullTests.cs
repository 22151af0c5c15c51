using ActorCluster.Protocol;
using ActorCluster.Raft.Actors;
using ActorCluster.Raft.Storage;

namespace ActorCluster.Raft.Tests.Actors;

public sealed class DiskFullTests
{
    [Fact]
    public async Task A_leader_with_a_full_disk_refuses_proposals_and_answers_reads_until_there_is_room()
    {
        await using var cluster = new TestCluster(3);
        var disks = new List<ShortLog>();
        for (ulong uid = 1; uid <= 3; uid++)
        {
            await cluster.StartNodeAsync(uid, writer =>
            {
                disks.Add(new ShortLog(writer));
                return disks[^1];
            });
        }

        Assert.Equal(ProposalOutcome.Committed, (await cluster.WriteAsync("before")).Outcome);
        foreach (var node in cluster.Nodes) Assert.Equal(["before"], await node.ReadAsync()); // on every log: a command would not get there any more
        foreach (var disk in disks) disk.IsShortOfSpace = disk.IsNearlyOutOfSpace = true;

        var leader = await cluster.LeaderAsync();
        var refused = await leader.Replica.ProposeAsync(Google.Protobuf.ByteString.CopyFromUtf8("refused"), TestCluster.Soon());
        Assert.Equal((ProposalOutcome.NotExecuted, ErrorCode.Overloaded), (refused.Outcome, refused.Error));
        Assert.Contains("disk", refused.Message, StringComparison.Ordinal);
        Assert.Equal(["before"], await leader.ReadAsync());

        // An election and the entry that opens a term need no more than the reserve.
        await leader.KillAsync();
        var next = await cluster.LeaderAsync(leader);
        Assert.Equal(["before"], await next.ReadAsync());

        foreach (var disk in disks) disk.IsShortOfSpace = disk.IsNearlyOutOfSpace = false;
        Assert.Equal(ProposalOutcome.Committed, (await cluster.WriteAsync("after")).Outcome);
    }

    sealed class ShortLog(ILogWriter inner) : ILogWriter
    {
        volatile bool _short;
        volatile bool _nearlyOut;

        public bool IsShortOfSpace
        {
            get => _short;
            set => _short = value;
        }

        public bool IsNearlyOutOfSpace
        {
            get => _nearlyOut;
            set => _nearlyOut = value;
        }

        public Task Failed => inner.Failed;

        public void Submit(LogWrite write, Action onDurable) => inner.Submit(write, onDurable);
    }
}
