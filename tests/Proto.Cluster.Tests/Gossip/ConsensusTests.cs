using System.Collections.Immutable;
using Google.Protobuf.WellKnownTypes;
using Proto.Cluster.Gossip;

namespace Proto.Cluster.Tests.Gossip;

public sealed class ConsensusTests
{
    [Fact]
    public async Task There_is_consensus_when_the_last_member_has_published_the_value()
    {
        await using var fixture = new ClusterFixture();
        var members = await fixture.StartMembersAsync(3, Quick);
        using var check = members[0].Gossip.RegisterConsensusCheck<StringValue, string>("phase", value => value.Value);
        foreach (var member in members[..2]) await member.Gossip.SetStateAsync("phase", new StringValue { Value = "ready" });

        var waiting = check.TryGetConsensus(ClusterFixture.Soon());
        Assert.False(waiting.IsCompleted);
        await members[2].Gossip.SetStateAsync("phase", new StringValue { Value = "ready" });

        Assert.Equal((true, "ready"), await waiting);
    }

    [Fact]
    public async Task Members_that_publish_different_values_do_not_agree_until_they_do()
    {
        await using var fixture = new ClusterFixture();
        var members = await fixture.StartMembersAsync(2, Quick);
        using var check = members[0].Gossip.RegisterConsensusCheck<StringValue, string>("phase", value => value.Value);
        await members[0].Gossip.SetStateAsync("phase", new StringValue { Value = "one" });
        await members[1].Gossip.SetStateAsync("phase", new StringValue { Value = "two" });
        var waiting = check.TryGetConsensus(ClusterFixture.Soon());

        await members[0].Gossip.SetStateAsync("phase", new StringValue { Value = "two" });

        Assert.Equal((true, "two"), await waiting);
    }

    [Fact]
    public async Task Consensus_is_lost_when_one_member_changes_its_mind()
    {
        await using var fixture = new ClusterFixture();
        var member = await fixture.StartMemberAsync();
        using var check = member.Gossip.RegisterConsensusCheck<StringValue, string>("phase", value => value.Value);
        await member.Gossip.SetStateAsync("phase", new StringValue { Value = "one" });
        Assert.Equal((true, "one"), await check.TryGetConsensus(ClusterFixture.Soon()));

        await member.Gossip.SetStateAsync("phase", new StringValue { Value = "two" });

        Assert.Equal((true, "two"), await check.TryGetConsensus(ClusterFixture.Soon()));
    }

    [Fact]
    public async Task A_wait_for_consensus_ends_without_it_when_the_time_or_the_token_ends_or_the_check_is_disposed()
    {
        await using var fixture = new ClusterFixture();
        var member = await fixture.StartMemberAsync();
        var check = member.Gossip.RegisterConsensusCheck<StringValue, string>("phase", value => value.Value);

        Assert.Equal((false, null), await check.TryGetConsensus(TimeSpan.FromMilliseconds(1), CancellationToken.None));
        using var cancelled = new CancellationTokenSource();
        var waiting = check.TryGetConsensus(cancelled.Token);
        await cancelled.CancelAsync();
        Assert.Equal((false, null), await waiting);
        waiting = check.TryGetConsensus(CancellationToken.None);
        check.Dispose();
        Assert.Equal((false, null), await waiting.WaitAsync(ClusterFixture.Soon()));
    }

    [Fact]
    public async Task A_check_of_two_keys_needs_both_to_agree()
    {
        await using var fixture = new ClusterFixture();
        var member = await fixture.StartMemberAsync();
        using var check = member.Gossip.RegisterConsensusCheck(
            Gossiper.ConsensusCheckBuilder<long>.Create<Int64Value>("here", value => value.Value).InConsensusWith<Int64Value>("there", value => value.Value));
        await member.Gossip.SetStateAsync("here", new Int64Value { Value = 1 });
        await member.Gossip.SetStateAsync("there", new Int64Value { Value = 2 });
        var waiting = check.TryGetConsensus(ClusterFixture.Soon());

        await member.Gossip.SetStateAsync("here", new Int64Value { Value = 2 });

        Assert.Equal((true, 2L), await waiting);
    }

    [Fact]
    public async Task A_value_of_another_type_is_no_value()
    {
        await using var fixture = new ClusterFixture();
        var member = await fixture.StartMemberAsync();
        await member.Gossip.SetStateAsync("phase", new StringValue { Value = "one" });
        using var check = member.Gossip.RegisterConsensusCheck<Int64Value, long>("phase", value => value.Value);
        var waiting = check.TryGetConsensus(ClusterFixture.Soon());
        await member.Gossip.GetStateSnapshot(); // answered after the check's first run

        await member.Gossip.SetStateAsync("phase", new Int64Value { Value = 7 });

        Assert.Equal((true, 7L), await waiting);
    }

    [Fact]
    public async Task A_check_that_throws_tells_whoever_waits_and_nobody_else()
    {
        await using var fixture = new ClusterFixture();
        var member = await fixture.StartMemberAsync();
        using var check = member.Gossip.RegisterConsensusCheck(new Failing());

        await Assert.ThrowsAsync<InvalidOperationException>(() => check.TryGetConsensus(ClusterFixture.Soon()));
        await member.Gossip.SetStateAsync("phase", new StringValue { Value = "one" });
    }

    [Fact]
    public async Task All_members_agree_on_the_topology()
    {
        await using var fixture = new ClusterFixture();
        var members = await fixture.StartMembersAsync(3, Quick);

        foreach (var member in members)
        {
            var (consensus, hash) = await member.MemberList.TopologyConsensus(ClusterFixture.Soon());
            Assert.True(consensus);
            Assert.Equal(Member.TopologyHash64(members[0].MemberList.GetAllMembers()), hash);
        }
    }

    static ClusterConfig Quick(ClusterConfig config) => ClusterFixture.WithCounter(config).WithGossipInterval(TimeSpan.FromMilliseconds(10));

    sealed class Failing : IConsensusCheckDefinition<string>
    {
        public ConsensusCheck<string> Check => (_, _) => throw new InvalidOperationException("a user's mistake");

        public IImmutableSet<string> AffectedKeys => ["phase"];
    }
}
