using ActorCluster.Membership.Actors;
using ActorCluster.Protocol.Membership;
using ActorCluster.Raft;
using Microsoft.Extensions.Logging.Abstractions;
using Proto;
using Proto.Cluster;
using Proto.Cluster.PartitionActivator;
using Proto.Remote;
using Proto.Remote.GrpcNet;

namespace ActorCluster.Membership.Tests;

/// <summary>Real nodes over loopback, with their logs and identities in temporary directories.</summary>
public class ClusterTests
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task ThreeNodes_FormOneCluster_AndProtoClusterSeesThem()
    {
        await using var fixture = new ClusterFixture(3);
        var nodes = await fixture.StartThreeAsync();

        Assert.Single(nodes.Select(n => n.Membership.ClusterId).Distinct());
        Assert.All(nodes, n => Assert.Equal(3, n.Membership.Current.CoordinatorVoters.Length));
        foreach (var node in nodes) await node.Started.WaitAsync(Patience);
        Assert.All(nodes, n => Assert.Contains(n.System.Id, n.Cluster.MemberList.GetMembers()));
        Assert.Equal(FormingPhase.Formed, nodes[0].Membership.Forming.Phase);
    }

    [Fact]
    public async Task ExpectOne_IsACompleteClusterOfOne()
    {
        await using var fixture = new ClusterFixture(1);
        var node = await fixture.StartAsync(0, expect: 1);
        await node.UpAsync();
        Assert.Equal(MemberState.Up, node.Membership.Current.Find(node.Membership.Uid)!.State);
    }

    [Fact]
    public async Task KilledNode_IsUnreachableWithEvidence_AndUpAgainAfterItsRestart()
    {
        await using var fixture = new ClusterFixture(3);
        var nodes = await fixture.StartThreeAsync();
        var killed = nodes[2].Membership.Uid;
        await nodes[2].KillAsync();

        var seen = await nodes[0].StateAsync(killed, MemberState.Unreachable);
        Assert.Contains("probed node-2", seen.Evidence, StringComparison.Ordinal);
        await nodes[1].StateAsync(killed, MemberState.Unreachable);
        Assert.False(nodes[0].Membership.Current.IsSendable(nodes[2].Address));
        Assert.DoesNotContain(nodes[2].System.Id, nodes[0].Cluster.MemberList.GetMembers());

        var restarted = await fixture.StartAsync(2);
        await restarted.UpAsync();
        var back = await nodes[0].StateAsync(killed, MemberState.Up);
        Assert.Equal(2UL, back.Incarnation);
        await nodes[1].StateAsync(killed, MemberState.Up);
        await nodes[0].TableAsync(_ => nodes[0].Cluster.MemberList.ContainsMemberId(restarted.System.Id));

        // The coordinator takes the new incarnation into the committed view, for those who join later.
        await nodes[0].TableAsync(t => t.Find(killed) is { } m && m.View > 0 && m.Incarnation == 2 && m.Node.SystemId == restarted.System.Id);
    }

    [Fact]
    public async Task StoppedNode_IsUnreachableAtOnce_AndNotRemoved()
    {
        await using var fixture = new ClusterFixture(3);
        var nodes = await fixture.StartThreeAsync();
        await nodes[1].StopAsync();
        var seen = await nodes[0].StateAsync(nodes[1].Membership.Uid, MemberState.Unreachable);
        Assert.Equal("stopping", seen.Evidence);
        Assert.Equal(MemberState.Up, nodes[0].Membership.Current.Find(nodes[1].Membership.Uid)!.CommittedState);
    }

    [Fact]
    public async Task FourthNode_JoinsAndLeaves()
    {
        await using var fixture = new ClusterFixture(4);
        var nodes = await fixture.StartThreeAsync();
        var fourth = await fixture.StartAsync(3, expect: 5); // after forming, expect means nothing
        await fourth.UpAsync();
        var uid = fourth.Membership.Uid;
        await nodes[0].StateAsync(uid, MemberState.Joining);
        await nodes[0].StateAsync(uid, MemberState.Up);
        Assert.Equal(nodes[0].Membership.ClusterId, fourth.Membership.ClusterId);
        Assert.Null(fourth.Membership.Coordinator);

        using var patience = new CancellationTokenSource(Patience);
        await fourth.Membership.LeaveAsync(patience.Token);
        await nodes[0].StateAsync(uid, MemberState.Leaving);
        var removed = await nodes[0].StateAsync(uid, MemberState.Removed);
        Assert.Equal("left", removed.Evidence);
        await fourth.StateAsync(uid, MemberState.Removed); // learns it, and does not come back by itself
    }

    [Fact]
    public async Task WholeClusterKilled_ComesBackUnderTheSameId()
    {
        await using var fixture = new ClusterFixture(3);
        var nodes = await fixture.StartThreeAsync();
        var cluster = nodes[0].Membership.ClusterId;
        var view = nodes[0].Membership.Current.View;
        foreach (var node in nodes) await node.KillAsync();

        var again = await fixture.StartThreeAsync();
        Assert.All(again, n => Assert.Equal(cluster, n.Membership.ClusterId));
        Assert.All(again, n => Assert.True(n.Membership.Current.View >= view));
        Assert.Equal(nodes.Select(n => n.Membership.Uid), again.Select(n => n.Membership.Uid));
    }

    [Fact]
    public async Task WipedNode_ReplacesItsOldUid_OnceThatIsUnreachable()
    {
        await using var fixture = new ClusterFixture(3);
        var nodes = await fixture.StartThreeAsync();
        var old = nodes[2].Membership.Uid;
        await nodes[2].KillAsync();
        fixture.Wipe(2);

        var newcomer = await fixture.StartAsync(2);
        await newcomer.UpAsync();
        Assert.NotEqual(old, newcomer.Membership.Uid);
        Assert.Equal(nodes[0].Membership.ClusterId, newcomer.Membership.ClusterId);
        await nodes[0].StateAsync(old, MemberState.Removed);
        await nodes[0].StateAsync(newcomer.Membership.Uid, MemberState.Up);

        // It casts no vote in the old one's place: it becomes a voter itself, by the group's own decision.
        await nodes[0].TableAsync(t => t.CoordinatorVoters.Contains(newcomer.Membership.Uid) && !t.CoordinatorVoters.Contains(old));
        await VotersAreSettledAsync([nodes[0], nodes[1], newcomer]);
        Assert.Equal(MembershipChange.NotLeader, await nodes[2].Membership.Coordinator!.ChangeMembersAsync([old], []));
    }

    [Fact]
    public async Task VoterThatLeaves_IsReplaced_AndTheNextLossIsBorneToo()
    {
        await using var fixture = new ClusterFixture(5);
        var nodes = await fixture.StartThreeAsync();
        var fourth = await fixture.StartAsync(3);
        await fourth.UpAsync();

        using var patience = new CancellationTokenSource(Patience);
        var left = nodes[1].Membership.Uid;
        await nodes[1].Membership.LeaveAsync(patience.Token);
        await nodes[1].StopAsync();
        await nodes[0].TableAsync(t => t.CoordinatorVoters.Contains(fourth.Membership.Uid) && !t.CoordinatorVoters.Contains(left));
        await VotersAreSettledAsync([nodes[0], nodes[2], fourth]);

        // One of the first voters is left, and the new one: they decide.
        await nodes[2].KillAsync();
        var fifth = await fixture.StartAsync(4);
        await fifth.UpAsync();

        // The new voter's log is its own: with everybody gone and back, the two decide again.
        var view = nodes[0].Membership.Current.View;
        foreach (var node in new[] { nodes[0], fourth, fifth }) await node.KillAsync();
        var again = await fixture.StartAsync(0);
        await fixture.StartAsync(3);
        await again.UpAsync();
        await again.TableAsync(t => t.View >= view);
    }

    [Fact]
    public async Task OnlyVoterLeaves_AndTheOtherMemberTakesOver()
    {
        await using var fixture = new ClusterFixture(3);
        var first = await fixture.StartAsync(0, expect: 1);
        await first.UpAsync();
        var second = await fixture.StartAsync(1, expect: 2);
        await second.UpAsync();

        using var patience = new CancellationTokenSource(Patience);
        await first.Membership.LeaveAsync(patience.Token);
        await second.TableAsync(t => t.CoordinatorVoters.SequenceEqual([second.Membership.Uid]));
        await VotersAreSettledAsync([first, second]);
        await first.StopAsync();
        var third = await fixture.StartAsync(2, expect: 2);
        await third.UpAsync();
    }

    /// <summary>The coordinator's leader says that the group's voters are the decided ones. Asked again and again: it is told only when asked.</summary>
    static async Task VotersAreSettledAsync(ClusterNode[] nodes)
    {
        using var patience = new CancellationTokenSource(Patience);
        using var again = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (await again.WaitForNextTickAsync(patience.Token))
        {
            foreach (var node in nodes)
            {
                if (node.Membership.Coordinator is { } group && await group.ChangeMembersAsync(node.Membership.Current.CoordinatorVoters, []) == MembershipChange.Done) return;
            }
        }
    }

    [Fact]
    public async Task RemovedWhileItLives_RaisesItsIncarnationAndJoinsAgain()
    {
        await using var fixture = new ClusterFixture(3);
        var nodes = await fixture.StartThreeAsync();
        var uid = nodes[2].Membership.Uid;
        var incarnation = nodes[2].Membership.Incarnation;

        // The decision that a grace period would bring, proposed by hand.
        var remove = new CoordinatorCommand
        {
            ClusterId = nodes[0].Membership.ClusterId,
            Remove = new RemoveDecision { Uid = uid.Value, Incarnation = incarnation, Reason = "unreachable for 30 s" },
        };
        await CommitAsync(nodes, remove);

        var rejoining = await nodes[2].EventAsync<RejoiningAfterRemoval>(_ => true);
        Assert.Equal("unreachable for 30 s", rejoining.Reason);
        await nodes[0].StateAsync(uid, MemberState.Removed);
        await nodes[0].StateAsync(uid, MemberState.Joining);
        var back = await nodes[0].StateAsync(uid, MemberState.Up);
        Assert.True(back.Incarnation > incarnation);
    }

    [Fact]
    public async Task VoterOfBefore_PassesRequestsOnToThoseWhoVoteNow()
    {
        await using var fixture = new ClusterFixture(4);
        var nodes = await fixture.StartThreeAsync();
        var fourth = await fixture.StartAsync(3);
        await fourth.UpAsync();
        var former = nodes.First(n => n.Membership.Coordinator!.Status.Role != RaftRole.Leader);
        var uid = former.Membership.Uid;
        ClusterNode[] voters = [.. nodes.Append(fourth).Where(n => n != former)];
        await CommitAsync(nodes, new CoordinatorCommand
        {
            ClusterId = former.Membership.ClusterId,
            Voters = new VotersDecision { Uids = { voters.Select(v => v.Membership.Uid.Value) } },
        });
        foreach (var node in voters.Append(former)) await node.TableAsync(t => !t.CoordinatorVoters.Contains(uid));
        await VotersAreSettledAsync(voters);

        // Its replica hears nothing of the group any more: neither who leads, nor that the leader it knew is gone.
        var leader = voters.First(n => n.Membership.Coordinator!.Status.Role == RaftRole.Leader);
        await leader.KillAsync();
        await former.StateAsync(leader.Membership.Uid, MemberState.Unreachable);
        await VotersAreSettledAsync([.. voters.Where(n => n != leader)]);
        using var patience = new CancellationTokenSource(Patience);
        await former.Membership.LeaveAsync(patience.Token);
        await former.StateAsync(uid, MemberState.Removed);
    }

    [Fact]
    public async Task UnreachableForTheGracePeriod_IsRemoved()
    {
        await using var fixture = new ClusterFixture(3);
        var nodes = await fixture.StartThreeAsync(new MembershipOptions { Name = "", Policy = new CoordinatorPolicyOptions(GraceMs: 1000, StableMs: 200) });
        await nodes[2].KillAsync();
        var removed = await nodes[0].StateAsync(nodes[2].Membership.Uid, MemberState.Removed);
        Assert.StartsWith("unreachable for", removed.Evidence, StringComparison.Ordinal);
        await nodes[1].StateAsync(nodes[2].Membership.Uid, MemberState.Removed);
    }

    [Fact]
    public async Task Client_SeesTheMembers_AndIsNone()
    {
        await using var fixture = new ClusterFixture(3);
        var nodes = await fixture.StartThreeAsync();
        var system = new ActorSystem().WithClientRemote(GrpcNetRemoteConfig.BindToLocalhost());
        var provider = ActorClusterProvider.ForClient(fixture.Seeds, TimeProvider.System, NullLoggerFactory.Instance);
        var client = system.WithCluster(ClusterConfig.Setup("test", provider, new PartitionActivatorLookup(TimeSpan.FromSeconds(10)))).Cluster();
        await client.StartClientAsync().WaitAsync(Patience);

        Assert.Equal(nodes.Select(n => n.System.Id).Order(), client.MemberList.GetAllMembers().Select(m => m.Id).Order());
        Assert.Equal(3, nodes[0].Membership.Current.Members.Count);
        await client.ShutdownAsync().WaitAsync(Patience);
    }

    static async Task CommitAsync(ClusterNode[] nodes, CoordinatorCommand command)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (true)
        {
            foreach (var node in nodes)
            {
                if (node.Membership.Coordinator is not { } group) continue;
                var result = await group.ProposeAsync(Google.Protobuf.MessageExtensions.ToByteString(command), patience.Token);
                if (result.Value is CoordinatorResult { Ok: true }) return;
            }
        }
    }
}
