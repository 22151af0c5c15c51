using System.Threading.Channels;
using Google.Protobuf.WellKnownTypes;
using Proto.Cluster.Gossip;

namespace Proto.Cluster.Tests.Gossip;

public sealed class GossipTests
{
    [Fact]
    public async Task What_a_member_sets_reaches_all_others_as_an_update_and_as_state()
    {
        await using var fixture = new ClusterFixture();
        var members = await fixture.StartMembersAsync(3, Quick);
        var updates = members.Select(member => Updates(member, "color")).ToArray();

        await members[0].Gossip.SetStateAsync("color", new StringValue { Value = "red" });

        foreach (var other in updates[1..])
        {
            var update = await other.ReadAsync(ClusterFixture.Soon());
            Assert.Equal(members[0].System.Id, update.MemberId);
            Assert.Equal("red", update.Value.Unpack<StringValue>().Value);
        }

        foreach (var member in members)
        {
            var state = await member.Gossip.GetState<StringValue>("color");
            Assert.Equal((members[0].System.Id, "red"), (Assert.Single(state).Key, state.Values.Single().Value));
        }

        var entry = (await members[1].Gossip.GetStateEntry("color"))[members[0].System.Id];
        Assert.True(entry.SequenceNumber > 0);
        Assert.True(entry.LocalTimestampUnixMilliseconds > 0);
        Assert.Contains(members[0].System.Id, (await members[2].Gossip.GetStateSnapshot()).Members.Keys);
    }

    [Fact]
    public async Task The_state_of_a_member_that_is_none_any_more_is_forgotten()
    {
        await using var fixture = new ClusterFixture();
        var members = await fixture.StartMembersAsync(2, Quick);
        var updates = Updates(members[1], "color");
        await members[0].Gossip.SetStateAsync("color", new StringValue { Value = "red" });
        await updates.ReadAsync(ClusterFixture.Soon());

        fixture.Agent.DeregisterService(members[0].System.Id);

        Assert.Empty(await members[1].Gossip.GetState<StringValue>("color"));
    }

    [Fact]
    public async Task A_blocked_member_is_told_nothing_and_holds_up_nobody()
    {
        await using var fixture = new ClusterFixture();
        var members = await fixture.StartMembersAsync(3, Quick);
        var (one, two, blocked) = (members[0], members[1], members[2]);
        var updates = Updates(two, "color");
        var atBlocked = Updates(blocked, "color");
        foreach (var other in new[] { one, two }) other.Remote.BlockList.Block(blocked.System.Id, "test");
        Assert.DoesNotContain(blocked.System.Id, one.MemberList.GetMembers());

        await one.Gossip.SetStateAsync("color", new StringValue { Value = "red" });

        await updates.ReadAsync(ClusterFixture.Soon());
        Assert.False(atBlocked.TryRead(out _));
    }

    [Fact]
    public async Task A_member_that_a_majority_has_removed_learns_it_and_shuts_down()
    {
        await using var fixture = new ClusterFixture();
        var members = await fixture.StartMembersAsync(3, Quick);
        var removed = members[2];

        foreach (var other in members[..2]) other.MemberList.MarkDeparted(removed.System.Id);
        removed.Gossip.SetState("color", new StringValue { Value = "red" });

        await removed.ShutdownCompleted.WaitAsync(ClusterFixture.Soon());
        Assert.Contains("majority", removed.System.StoppedReason, StringComparison.Ordinal);
        Assert.False(members[0].ShutdownCompleted.IsCompleted);
    }

    [Fact]
    public async Task A_member_that_only_one_other_has_removed_stays()
    {
        await using var fixture = new ClusterFixture();
        var members = await fixture.StartMembersAsync(3, Quick);
        var updates = Updates(members[1], "color");

        members[0].MemberList.MarkDeparted(members[2].System.Id);
        await members[2].Gossip.SetStateAsync("color", new StringValue { Value = "red" });

        await updates.ReadAsync(ClusterFixture.Soon());
        Assert.Contains(members[2].System.Id, members[1].MemberList.GetMembers());
        Assert.False(members[2].System.Shutdown.IsCancellationRequested);
    }

    [Fact]
    public async Task Setting_state_where_gossip_does_not_run_fails_at_once_and_says_why()
    {
        await using var fixture = new ClusterFixture();
        var member = await fixture.StartMemberAsync();
        var client = await fixture.StartClientAsync();
        var value = new StringValue { Value = "red" };

        Assert.Throws<GossipStoppedException>(() => client.Gossip.SetState("color", value));
        await Assert.ThrowsAsync<GossipStoppedException>(() => client.Gossip.GetState<StringValue>("color"));

        await member.ShutdownAsync();
        await Assert.ThrowsAsync<GossipStoppedException>(() => member.Gossip.SetStateAsync("color", value));
        Assert.Throws<GossipStoppedException>(() => member.Gossip.RegisterConsensusCheck<StringValue, string>("color", v => v.Value));
    }

    [Fact]
    public async Task A_value_beyond_the_limits_is_refused_to_the_caller()
    {
        await using var fixture = new ClusterFixture();
        var member = await fixture.StartMemberAsync();
        var large = new StringValue { Value = new string('x', GossipLimits.MaxValueBytes) };

        Assert.Throws<GossipLimitException>(() => member.Gossip.SetState("color", large));
        await Assert.ThrowsAsync<GossipLimitException>(() => member.Gossip.SetStateAsync("", new StringValue()));
        for (var i = (await member.Gossip.GetStateSnapshot()).Members[member.System.Id].Values.Count; i < GossipLimits.MaxKeysPerMember; i++)
            member.Gossip.SetState($"key-{i}", new Empty());
        var refused = await Assert.ThrowsAsync<GossipLimitException>(() => member.Gossip.SetStateAsync("one more", new Empty()));
        Assert.Equal(GossipLimits.MaxKeysPerMember, refused.Limit);
    }

    [Fact]
    public async Task The_heartbeat_tells_how_many_activations_a_member_has()
    {
        await using var fixture = new ClusterFixture();
        var members = await fixture.StartMembersAsync(2, config => Quick(config).WithHeartbeatExpiration(TimeSpan.FromMilliseconds(200)));
        var kind = members[0].GetClusterKind(CounterActor.Kind);
        var beats = Updates(members[1], GossipKeys.Heartbeat);

        kind.Inc();
        kind.Inc();
        kind.Dec();

        while (true)
        {
            var beat = (await beats.ReadAsync(ClusterFixture.Soon())).Value.Unpack<MemberHeartbeat>();
            if (beat.ActorStatistics.ActorCount[CounterActor.Kind] == 1) return;
        }
    }

    static ClusterConfig Quick(ClusterConfig config) => ClusterFixture.WithCounter(config).WithGossipInterval(TimeSpan.FromMilliseconds(10));

    static ChannelReader<GossipUpdate> Updates(Cluster cluster, string key)
    {
        var updates = Channel.CreateUnbounded<GossipUpdate>();
        cluster.System.EventStream.Subscribe<GossipUpdate>(update => update.Key == key, update => updates.Writer.TryWrite(update));
        return updates.Reader;
    }
}
