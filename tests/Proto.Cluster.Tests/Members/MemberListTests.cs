using System.Diagnostics.Metrics;
using System.Threading.Channels;

namespace Proto.Cluster.Tests.Members;

public sealed class MemberListTests
{
    [Fact]
    public async Task The_same_members_in_another_order_change_nothing()
    {
        await using var fixture = new ClusterFixture();
        var (members, topologies) = await StartAsync(fixture);
        var (a, b) = (Node("a"), Node("b"));
        members.UpdateClusterTopology([members.Self, a, b]);
        var first = await topologies.ReadAsync(ClusterFixture.Soon());

        members.UpdateClusterTopology([b.Clone(), a.Clone(), members.Self]);

        Assert.False(topologies.TryRead(out _));
        Assert.False(first.TopologyValidityToken!.Value.IsCancellationRequested);
        Assert.Equal(["a", "b"], first.Joined.Select(member => member.Id));
    }

    [Fact]
    public async Task Defect_8_a_change_is_seen_although_the_hash_were_the_same()
    {
        await using var fixture = new ClusterFixture();
        var (members, topologies) = await StartAsync(fixture);
        members.UpdateClusterTopology([members.Self, Node("a")]);
        var before = await topologies.ReadAsync(ClusterFixture.Soon());

        // The hash is made of the ids alone: here it cannot tell the difference.
        members.UpdateClusterTopology([members.Self, Node("a", kinds: "counter")]);

        var after = await topologies.ReadAsync(ClusterFixture.Soon());
        Assert.Equal(before.TopologyHash, after.TopologyHash);
        Assert.Empty(after.Joined);
        Assert.Contains("a", members.GetMembersByKind("counter").Select(member => member.Id));
        Assert.True(before.TopologyValidityToken!.Value.IsCancellationRequested);
    }

    [Fact]
    public void Defect_8_sets_whose_32_bit_hashes_collide_are_different_topologies()
    {
        // Two ids out of 300,000 whose short hashes are equal: the birthday bound makes some certain enough, and which ones never changes.
        var seen = new Dictionary<uint, string>();
        for (var i = 0; ; i++)
        {
            Assert.True(i < 1_000_000, "no collision found");
            var id = $"member-{i}";
            if (seen.TryAdd(Member.TopologyHash([Node(id)]), id)) continue;

            var (one, other) = (MemberView.Of([Node(seen[Member.TopologyHash([Node(id)])])]), MemberView.Of([Node(id)]));
            Assert.False(one.IsSameAs(other));
            Assert.NotEqual(one.TopologyHash, other.TopologyHash);
            return;
        }
    }

    [Fact]
    public async Task Defect_9_of_two_members_at_one_address_every_node_keeps_the_one_that_started_last()
    {
        await using var fixture = new ClusterFixture();
        var (former, restarted) = (Node("z-former", port: 7, started: 1000), Node("a-restarted", port: 7, started: 2000));
        var seen = new List<string>();

        // One node hears of the restart first, another one last: the order, and when it heard, play no part.
        foreach (var heard in new[] { new[] { former, restarted }, [restarted, former] })
        {
            var (members, topologies) = await StartAsync(fixture);
            members.UpdateClusterTopology([members.Self, heard[0]]);
            members.UpdateClusterTopology([members.Self, heard[0], heard[1]]);
            seen.Add(string.Join(',', members.GetOtherMembers().Select(member => member.Id)));
        }

        Assert.Equal(["a-restarted", "a-restarted"], seen);
    }

    [Fact]
    public void Defect_9_without_a_start_time_the_ids_decide()
    {
        var rivals = new[] { Node("a", port: 7), Node("c", port: 7), Node("b", port: 7) };

        Assert.Equal("c", Assert.Single(MemberView.Of(rivals).Members).Id);
        Assert.Equal("c", Assert.Single(MemberView.Of(rivals.Reverse()).Members).Id);
    }

    [Fact]
    public async Task Defect_2_a_blocked_member_is_out_at_once_and_back_when_its_block_has_expired()
    {
        await using var fixture = new ClusterFixture();
        var time = new ShiftedTime();
        var (members, topologies) = await StartAsync(fixture, system => system.WithTimeProvider(time), out var cluster);
        members.UpdateClusterTopology([members.Self, Node("a")]);
        await topologies.ReadAsync(ClusterFixture.Soon());

        cluster.Remote.BlockList.Block("a", "test");
        var blocked = await topologies.ReadAsync(ClusterFixture.Soon());
        Assert.Equal(("a", "a"), (Assert.Single(blocked.Left).Id, Assert.Single(blocked.Blocked)));

        time.Add(TimeSpan.FromHours(1));
        members.UpdateClusterTopology([members.Self, Node("a")]);
        var back = await topologies.ReadAsync(ClusterFixture.Soon());
        Assert.Equal("a", Assert.Single(back.Joined).Id);
        Assert.Empty(back.Blocked);
    }

    [Fact]
    public async Task Nobody_blocks_itself_out()
    {
        await using var fixture = new ClusterFixture();
        var (members, topologies) = await StartAsync(fixture, null, out var cluster);

        cluster.Remote.BlockList.Block(members.MemberId, "test");

        Assert.Contains(members.MemberId, members.GetMembers());
        Assert.False(topologies.TryRead(out _));
    }

    [Fact]
    public async Task A_subscriber_may_change_the_list_and_everyone_sees_the_changes_in_their_order()
    {
        await using var fixture = new ClusterFixture();
        var member = await fixture.StartMemberAsync();
        var members = member.MemberList;
        member.System.EventStream.Subscribe<ClusterTopology>(topology =>
        {
            if (topology.Members.Count == 2) members.UpdateClusterTopology([members.Self, Node("a"), Node("b")]);
        });
        var seen = Subscribe(member);

        members.UpdateClusterTopology([members.Self, Node("a")]);

        Assert.Equal(2, (await seen.ReadAsync(ClusterFixture.Soon())).Members.Count);
        Assert.Equal(3, (await seen.ReadAsync(ClusterFixture.Soon())).Members.Count);
    }

    [Fact]
    public async Task A_strategy_that_throws_does_not_hold_up_the_topology()
    {
        await using var fixture = new ClusterFixture();
        var member = await fixture.StartMemberAsync(config => ClusterFixture.WithCounter(config)
            .WithMemberStrategyBuilder((_, _) => throw new InvalidDataException("a user's mistake")));
        var topologies = Subscribe(member);

        member.MemberList.UpdateClusterTopology([member.MemberList.Self, Node("a", kinds: "other")]);

        Assert.Equal("a", Assert.Single((await topologies.ReadAsync(ClusterFixture.Soon())).Joined).Id);
    }

    [Fact]
    public async Task Activators_take_turns()
    {
        await using var fixture = new ClusterFixture();
        var (members, _) = await StartAsync(fixture);
        members.UpdateClusterTopology([members.Self, Node("a", kinds: "k"), Node("b", kinds: "k"), Node("c", kinds: "other")]);

        var chosen = Enumerable.Range(0, 4).Select(_ => members.GetActivator("k", "")!.Id).ToArray();

        Assert.Equal(["a", "b"], chosen.Distinct().Order(StringComparer.Ordinal));
        Assert.Equal(chosen[..2], chosen[2..]);
        Assert.Null(members.GetActivator("hosted by nobody", ""));
    }

    [Fact]
    public async Task A_broadcast_is_published_on_the_event_stream_of_each_member()
    {
        await using var fixture = new ClusterFixture();
        var members = await fixture.StartMembersAsync(2, ClusterFixture.WithCounter);
        var heard = members.Select(member =>
        {
            var events = Channel.CreateUnbounded<ActivationTerminating>();
            member.System.EventStream.Subscribe<ActivationTerminating>(message => events.Writer.TryWrite(message));
            return events.Reader;
        }).ToArray();
        var first = new ActivationTerminating { ClusterIdentity = ClusterIdentity.Create("1", "k"), Pid = PID.FromAddress("x", "y") };
        var second = first.Clone();
        second.ClusterIdentity.Identity = "2";

        members[0].MemberList.BroadcastEvent(first, includeSelf: false);
        members[0].MemberList.BroadcastEvent(second);

        Assert.Equal("2", (await heard[0].ReadAsync(ClusterFixture.Soon())).ClusterIdentity.Identity);
        Assert.Equal("1", (await heard[1].ReadAsync(ClusterFixture.Soon())).ClusterIdentity.Identity);
        Assert.Equal("2", (await heard[1].ReadAsync(ClusterFixture.Soon())).ClusterIdentity.Identity);
    }

    [Fact]
    public async Task Gauges_count_members_and_activations_until_the_shutdown()
    {
        await using var fixture = new ClusterFixture();
        var member = await fixture.StartMemberAsync(configureSystem: system => system.WithMetrics());
        member.GetClusterKind(CounterActor.Kind).Inc();
        var measured = new Dictionary<string, long>(StringComparer.Ordinal);
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Name is "protocluster_members_count" or "protocluster_virtualactors") self.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
        {
            if (tags.ToArray().Contains(new("id", member.System.Id))) measured[instrument.Name] = value;
        });
        listener.Start();

        listener.RecordObservableInstruments();
        Assert.Equal((1, 1), (measured["protocluster_members_count"], measured["protocluster_virtualactors"]));

        await member.ShutdownAsync();
        measured.Clear();
        listener.RecordObservableInstruments();
        Assert.Empty(measured);
    }

    static Task<(MemberList Members, ChannelReader<ClusterTopology> Topologies)> StartAsync(ClusterFixture fixture) => StartAsync(fixture, null, out _);

    static Task<(MemberList Members, ChannelReader<ClusterTopology> Topologies)> StartAsync(
        ClusterFixture fixture, Func<ActorSystemConfig, ActorSystemConfig>? configureSystem, out Cluster cluster)
    {
        var member = fixture.CreateMember(configureSystem: configureSystem);
        cluster = member;
        return StartAsync(member);
    }

    static async Task<(MemberList, ChannelReader<ClusterTopology>)> StartAsync(Cluster member)
    {
        await member.StartMemberAsync().WaitAsync(ClusterFixture.Soon());
        return (member.MemberList, Subscribe(member));
    }

    static ChannelReader<ClusterTopology> Subscribe(Cluster member)
    {
        var topologies = Channel.CreateUnbounded<ClusterTopology>();
        member.System.EventStream.Subscribe<ClusterTopology>(topology => topologies.Writer.TryWrite(topology));
        return topologies.Reader;
    }

    static Member Node(string id, int? port = null, long started = 0, string? kinds = null)
    {
        var member = new Member { Id = id, Host = "127.0.0.1", Port = port ?? 1 + id[^1] % 90, StartedUnixMs = started };
        if (kinds is not null) member.Kinds.Add(kinds);
        return member;
    }
}
