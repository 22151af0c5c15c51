using ActorCluster.Grains.Actors;
using ActorCluster.Membership.Actors;
using ActorCluster.Protocol;
using ActorCluster.Protocol.Grains;
using ActorCluster.Protocol.Keyspace;
using ActorCluster.Protocol.Membership;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Proto;
using Proto.Cluster;

namespace ActorCluster.Grains.Tests;

/// <summary>Three real nodes in one process: key space, grains and consensus together.</summary>
public class ClusterTests
{
    static KvRequest Put(string key, string value) => new() { Put = new KvPut { Key = key, Value = ByteString.CopyFromUtf8(value) } };

    static KvRequest Get(string key) => new() { Get = new KvGet { Key = key } };

    [Fact]
    public async Task Every_node_serves_every_key()
    {
        await using var cluster = await TestCluster.StartAsync();
        for (var i = 0; i < 30; i++)
        {
            var key = $"key-{i}";
            var put = await cluster.Nodes[i % 3].Runtime.Kv.ExecuteAsync(key, Put(key, $"{i}"), TestCluster.Soon());
            Assert.Null(put.Failure);
            foreach (var node in cluster.Nodes)
            {
                var got = await node.Runtime.Kv.ExecuteAsync(key, Get(key), TestCluster.Soon());
                Assert.Null(got.Failure);
                Assert.Equal(($"{i}", put.Version), (got.Value.ToStringUtf8(), got.Version));
            }
        }

        var missing = await cluster.Nodes[0].Runtime.Kv.ExecuteAsync("nobody", Get("nobody"), TestCluster.Soon());
        Assert.False(missing.Found);
        var deleted = await cluster.Nodes[1].Runtime.Kv.ExecuteAsync("key-0", new KvRequest { Delete = new KvDelete { Key = "key-0" } }, TestCluster.Soon());
        Assert.True(deleted.Found);
    }

    // The clocks of nodes need not agree: a deadline is kept by the clock of the node that was given it.
    [Fact]
    public async Task A_leader_whose_clock_is_ahead_serves_what_other_nodes_pass_on()
    {
        await using var cluster = await TestCluster.StartAsync(partitions: 1);
        var other = cluster.Nodes.First(n => n != cluster.LeaderOf("k"));
        var put = Put("k", "v");
        put.DeadlineUnixMs = (ulong)DateTimeOffset.UtcNow.AddMinutes(-1).ToUnixTimeMilliseconds(); // as the leader's clock would have it

        Assert.Null((await other.Runtime.Kv.ExecuteAsync("k", put, TestCluster.Soon())).Failure);
    }

    [Fact]
    public async Task A_partition_is_a_virtual_actor_of_kind_kv()
    {
        await using var cluster = await TestCluster.StartAsync();
        foreach (var node in cluster.Nodes)
        {
            var key = $"from {node.Name}";
            Assert.Null((await node.Cluster.RequestAsync<KvReply>(key, "kv", Put(key, "1"), TestCluster.Soon())).Failure);
            Assert.Equal("1", (await node.Cluster.RequestAsync<KvReply>(key, "kv", Get(key), TestCluster.Soon())).Value.ToStringUtf8());
        }
    }

    [Fact]
    public async Task E11_A_request_with_a_session_has_its_effect_once_on_whatever_node_it_is_repeated()
    {
        await using var cluster = await TestCluster.StartAsync(partitions: 1);
        var opened = await cluster.Nodes[0].Runtime.Kv.ExecuteAsync("a", new KvRequest { OpenSession = new OpenSession() }, TestCluster.Soon());
        var first = Put("a", "first");
        first.Session = new SessionRef { SessionId = opened.SessionId, Sequence = 1, LowestPending = 1 };
        var reply = await cluster.Nodes[0].Runtime.Kv.ExecuteAsync("a", first, TestCluster.Soon());
        await cluster.Nodes[1].Runtime.Kv.ExecuteAsync("a", Put("a", "second"), TestCluster.Soon());
        foreach (var node in cluster.Nodes)
            Assert.Equal(reply.Version, (await node.Runtime.Kv.ExecuteAsync("a", first, TestCluster.Soon())).Version);
        Assert.Equal("second", (await cluster.Nodes[2].Runtime.Kv.ExecuteAsync("a", Get("a"), TestCluster.Soon())).Value.ToStringUtf8());

        first.Session.SessionId = 999_999;
        var unknown = await cluster.Nodes[0].Runtime.Kv.ExecuteAsync("a", first, TestCluster.Soon());
        Assert.Equal((OutcomeKind.Unknown, ErrorCode.SessionExpired), (unknown.Failure.Outcome, unknown.Failure.Code));
    }

    [Fact]
    public async Task B51_B52_The_first_request_activates_at_the_partitions_leader_and_later_ones_find_it_there()
    {
        await using var cluster = await TestCluster.StartAsync();
        var pids = new List<PID?>();
        foreach (var node in cluster.Nodes)
        {
            Assert.Equal(pids.Count + 1, (await node.Cluster.RequestAsync<CounterValue>("x", "counter", new CounterAdd { Amount = 1 }, TestCluster.Soon())).Value);
            pids.Add(await node.Cluster.GetAsync("x", "counter", TestCluster.Soon()));
        }

        var leader = cluster.LeaderOf("x");
        Assert.All(pids, pid => Assert.Equal((leader.System.Address, pids[0]!.Id), (pid!.Address, pid.Id)));
        Assert.True(GrainAddress.TryParse(pids[0]!.Id, out var address, out _));
        Assert.Equal(("counter", "x"), (address.Kind, address.Identity));
        var activated = Assert.Single(leader.Events, e => e is { Kind: "counter", Identity: "x" });
        Assert.Equal((GrainEventKind.Activated, address.Epoch), (activated.What, activated.Epoch));
    }

    [Fact]
    public async Task Many_grains_count_exactly_from_all_nodes_at_once()
    {
        await using var cluster = await TestCluster.StartAsync();
        var calls = Enumerable.Range(0, 300).Select(i =>
            cluster.Nodes[i % 3].Runtime.Grains.CallAsync<CounterValue>("counter", $"word-{i % 20}", new CounterAdd { Amount = 1 }, TestCluster.Soon()));
        await Task.WhenAll(calls);
        for (var i = 0; i < 20; i++)
            Assert.Equal(15, (await cluster.Nodes[0].Runtime.Grains.CallAsync<CounterValue>("counter", $"word-{i}", new CounterGet(), TestCluster.Soon())).Value);
    }

    [Fact]
    public async Task B54_E11_Grains_survive_the_loss_of_their_node_and_count_every_call_once()
    {
        await using var cluster = await TestCluster.StartAsync();
        var victim = cluster.LeaderOf("word-0");
        var callers = cluster.Nodes.Where(n => n != victim).ToArray();
        var acknowledged = 0;
        var half = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var calls = Enumerable.Range(0, 8).Select(async c =>
        {
            for (var i = 0; i < 60; i++)
            {
                await callers[c % 2].Runtime.Grains.CallAsync<CounterValue>("counter", $"word-{i % 6}", new CounterAdd { Amount = 1 }, TestCluster.Soon());
                if (Interlocked.Increment(ref acknowledged) == 160) half.SetResult();
            }
        }).ToArray();

        await half.Task.WaitAsync(TestCluster.Soon());
        await cluster.KillAsync(victim);
        await Task.WhenAll(calls);
        for (var i = 0; i < 6; i++)
            Assert.Equal(80, (await callers[0].Runtime.Grains.CallAsync<CounterValue>("counter", $"word-{i}", new CounterGet(), TestCluster.Soon())).Value);
        await cluster.LedAsync();
        Assert.Contains(cluster.LeaderOf("word-0").Events, e => e is { What: GrainEventKind.Reactivated, Identity: "word-0" });
    }

    [Fact]
    public async Task E11_Lost_outcomes_and_late_commits_count_nothing_twice_and_lose_nothing()
    {
        await using var cluster = await TestCluster.StartAsync(partitions: 2, wrap: group => new LosingGroup(group));
        var calls = Enumerable.Range(0, 120).Select(i =>
            cluster.Nodes[i % 3].Runtime.Grains.CallAsync<CounterValue>("counter", $"word-{i % 4}", new CounterAdd { Amount = 1 }, TestCluster.Soon()));
        // Every reply is another number: each call saw the effect of its own single turn.
        var replies = (await Task.WhenAll(calls)).Select((reply, i) => (Word: i % 4, reply.Value));
        Assert.All(replies.GroupBy(r => r.Word), word => Assert.Equal(Enumerable.Range(1, 30).Select(n => (long)n), word.Select(r => r.Value).Order()));

        foreach (var node in cluster.Nodes)
        {
            var first = await node.Runtime.Kv.ExecuteAsync(node.Name, Put(node.Name, "first"), TestCluster.Soon());
            var second = await node.Runtime.Kv.ExecuteAsync(node.Name, Put(node.Name, "second"), TestCluster.Soon());
            Assert.Null(first.Failure);
            Assert.Null(second.Failure);
            Assert.Equal("second", (await node.Runtime.Kv.ExecuteAsync(node.Name, Get(node.Name), TestCluster.Soon())).Value.ToStringUtf8());
        }
    }

    [Fact]
    public async Task C1_What_was_written_before_an_election_is_read_right_after_it()
    {
        await using var cluster = await TestCluster.StartAsync(partitions: 1);
        var others = cluster.Nodes.Where(n => !n.Leads(0)).ToArray();
        for (var i = 0; i < 10; i++) await others[0].Runtime.Kv.ExecuteAsync("a", Put("a", $"{i}"), TestCluster.Soon());
        await cluster.KillAsync(cluster.LeaderOf("a"));
        // Sent before there is a new leader: answered by the first one, and not with less than was acknowledged.
        foreach (var got in await Task.WhenAll(others.Select(n => n.Runtime.Kv.ExecuteAsync("a", Get("a"), TestCluster.Soon()).AsTask())))
            Assert.Equal("9", got.Value.ToStringUtf8());
    }

    [Fact]
    public async Task A_stale_activation_refuses_and_the_lookup_finds_the_new_one()
    {
        await using var cluster = await TestCluster.StartAsync(partitions: 1);
        var node = cluster.Nodes.First(n => !n.Leads(0));
        await node.Runtime.Grains.CallAsync<CounterValue>("counter", "x", new CounterAdd { Amount = 5 }, TestCluster.Soon());
        var stale = await node.Cluster.GetAsync("x", "counter", TestCluster.Soon());
        await cluster.KillAsync(cluster.LeaderOf("x"));
        Assert.Equal(6, (await node.Runtime.Grains.CallAsync<CounterValue>("counter", "x", new CounterAdd { Amount = 1 }, TestCluster.Soon())).Value);
        var now = await node.Runtime.Lookup.GetAsync(ClusterIdentity.Create("x", "counter"), TestCluster.Soon());
        Assert.NotEqual(stale!.Address, now!.Address);
        Assert.True(GrainAddress.TryParse(stale.Id, out var old, out _) && GrainAddress.TryParse(now.Id, out var fresh, out _) && old.Epoch < fresh.Epoch);
    }

    [Fact]
    public async Task B22_Nothing_is_resolved_at_an_unreachable_node()
    {
        await using var cluster = await TestCluster.StartAsync(partitions: 1);
        var leader = cluster.LeaderOf("x");
        var node = cluster.Nodes.First(n => n != leader);
        await node.Runtime.Grains.CallAsync<CounterValue>("counter", "x", new CounterGet(), TestCluster.Soon());
        cluster.SetState(leader, MemberState.Unreachable);
        var result = node.Runtime.Lookup.ResolvePid($"{leader.System.Address}/counter/x@1.1.2");
        Assert.Equal(ResolveStatus.Unreachable, result.Status);
    }

    sealed class FailingGrain : ReplicatedGrain<StringValue>
    {
        public static bool ConstructorFails { get; set; }

        public FailingGrain()
        {
            if (ConstructorFails) throw new InvalidOperationException("no grain today");
            On<StringValue>(text =>
            {
                State.Value = text.Value;
                if (text.Value == "bad") throw new InvalidOperationException("bad text");
                return new StringValue(State);
            });
            On<Empty>(_ => State);
        }
    }

    sealed class PlainActor : IActor
    {
        public Task ReceiveAsync(IContext context)
        {
            switch (context.Message)
            {
                case Started when context.ClusterIdentity()!.Identity == "unlucky": throw new InvalidOperationException("cannot start");
                case StringValue text: context.Respond(new StringValue { Value = $"{context.ClusterIdentity()!.ToDiagnosticString()}: {text.Value}" }); break;
            }

            return Task.CompletedTask;
        }
    }

    [Fact]
    public async Task What_goes_wrong_in_a_grain_is_a_typed_failure_at_once()
    {
        FailingGrain.ConstructorFails = false;
        await using var cluster = await TestCluster.StartAsync(kinds: () => new GrainKinds().Add<FailingGrain>("failing"));
        var node = cluster.Nodes[0];
        await node.Runtime.Grains.CallAsync<StringValue>("failing", "x", new StringValue { Value = "good" }, TestCluster.Soon());

        var thrown = await Assert.ThrowsAsync<GrainCallException>(() => node.Runtime.Grains.CallAsync<StringValue>("failing", "x", new StringValue { Value = "bad" }, TestCluster.Soon()));
        Assert.Equal((OutcomeKind.NotExecuted, ErrorCode.GrainFailed), (thrown.Failure.Outcome, thrown.Failure.Code));
        Assert.Equal("good", (await node.Runtime.Grains.CallAsync<StringValue>("failing", "x", new Empty(), TestCluster.Soon())).Value);

        var unknownKind = await Assert.ThrowsAsync<GrainCallException>(() => node.Runtime.Grains.CallAsync<Empty>("nobody", "x", new Empty(), TestCluster.Soon()));
        Assert.Equal(ErrorCode.UnknownKind, unknownKind.Failure.Code);
        var unhandled = await Assert.ThrowsAsync<GrainCallException>(() => node.Runtime.Grains.CallAsync<Empty>("failing", "x", new CounterGet(), TestCluster.Soon()));
        Assert.Equal(ErrorCode.InvalidArgument, unhandled.Failure.Code);

        FailingGrain.ConstructorFails = true;
        foreach (var asker in cluster.Nodes)
        {
            var failed = await Assert.ThrowsAsync<GrainActivationException>(() => asker.Cluster.RequestAsync<StringValue>("y", "failing", new Empty(), TestCluster.Soon()));
            Assert.Equal((OutcomeKind.NotExecuted, ErrorCode.ActivationFailed), (failed.Failure.Outcome, failed.Failure.Code));
            Assert.Contains("no grain today", failed.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Plain_virtual_actors_are_placed_by_the_same_lookup()
    {
        await using var cluster = await TestCluster.StartAsync(configure: config => config.WithClusterKind("plain", Props.FromProducer(() => new PlainActor())));
        foreach (var node in cluster.Nodes)
        {
            var reply = await node.Cluster.RequestAsync<StringValue>("x", "plain", new StringValue { Value = "hello" }, TestCluster.Soon());
            Assert.Equal("plain/x: hello", reply.Value);
            Assert.Equal(cluster.LeaderOf("x").System.Address, (await node.Cluster.GetAsync("x", "plain", TestCluster.Soon()))!.Address);
        }

        cluster.ProvokedError = "cannot start";
        var failed = await Assert.ThrowsAsync<GrainActivationException>(() => cluster.Nodes[0].Cluster.RequestAsync<StringValue>("unlucky", "plain", new StringValue(), TestCluster.Soon()));
        Assert.Contains("cannot start", failed.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task B53_An_idle_grain_is_unloaded_and_comes_back_with_its_state_under_a_higher_epoch()
    {
        await using var cluster = await TestCluster.StartAsync(grains: new GrainOptions { Idle = TimeSpan.FromMilliseconds(100) });
        var leader = cluster.LeaderOf("x");
        var passivated = new TaskCompletionSource<GrainEvent>(TaskCreationOptions.RunContinuationsAsynchronously);
        leader.System.EventStream.Subscribe<GrainEvent>(e =>
        {
            if (e.What == GrainEventKind.Passivated) passivated.TrySetResult(e);
        });
        await cluster.Nodes[0].Runtime.Grains.CallAsync<CounterValue>("counter", "x", new CounterAdd { Amount = 7 }, TestCluster.Soon());
        var before = await passivated.Task.WaitAsync(TestCluster.Soon());
        Assert.Equal("x", before.Identity);

        Assert.Equal(8, (await cluster.Nodes[0].Runtime.Grains.CallAsync<CounterValue>("counter", "x", new CounterAdd { Amount = 1 }, TestCluster.Soon())).Value);
        var again = Assert.Single(leader.Events, e => e.What == GrainEventKind.Reactivated);
        Assert.True(before.Epoch < again.Epoch);
    }

    [Fact]
    public async Task G8_A_node_that_was_removed_drops_its_activations_and_their_successors_go_on_from_the_state()
    {
        await using var cluster = await TestCluster.StartAsync(configure: config => config.WithClusterKind("plain", Props.FromProducer(() => new PlainActor())));
        var leader = cluster.LeaderOf("x");
        await leader.Runtime.Grains.CallAsync<CounterValue>("counter", "x", new CounterAdd { Amount = 7 }, TestCluster.Soon());
        await leader.Cluster.RequestAsync<StringValue>("x", "plain", new StringValue { Value = "hello" }, TestCluster.Soon());
        var plain = await leader.Cluster.GetAsync("x", "plain", TestCluster.Soon());
        var dropped = 0;
        var both = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        leader.System.EventStream.Subscribe<GrainEvent>(e =>
        {
            if (e is { What: GrainEventKind.Deactivated, Identity: "x" } && e.Reason.Contains("removed", StringComparison.Ordinal) && Interlocked.Increment(ref dropped) == 2) both.TrySetResult();
        });

        leader.System.EventStream.Publish(new RejoiningAfterRemoval("unreachable for 30 s", 1, 2));
        await both.Task.WaitAsync(TestCluster.Soon());

        Assert.Equal(8, (await leader.Runtime.Grains.CallAsync<CounterValue>("counter", "x", new CounterAdd { Amount = 1 }, TestCluster.Soon())).Value);
        await leader.Cluster.RequestAsync<StringValue>("x", "plain", new StringValue { Value = "hello" }, TestCluster.Soon());
        Assert.NotEqual(plain!.Id, (await leader.Cluster.GetAsync("x", "plain", TestCluster.Soon()))!.Id);
    }

    [Fact]
    public async Task A_node_without_replicas_routes_and_calls()
    {
        await using var cluster = await TestCluster.StartAsync(nodes: 4);
        var outsider = cluster.Nodes[3];
        for (var i = 0; i < 8; i++)
        {
            Assert.Null((await outsider.Runtime.Kv.ExecuteAsync($"k{i}", Put($"k{i}", "1"), TestCluster.Soon())).Failure);
            Assert.Equal("1", (await outsider.Runtime.Kv.ExecuteAsync($"k{i}", Get($"k{i}"), TestCluster.Soon())).Value.ToStringUtf8());
            Assert.Equal(1, (await outsider.Cluster.RequestAsync<CounterValue>($"k{i}", "counter", new CounterAdd { Amount = 1 }, TestCluster.Soon())).Value);
        }
    }

    [Fact]
    public async Task Without_a_majority_requests_end_as_NotExecuted_before_their_deadline()
    {
        await using var cluster = await TestCluster.StartAsync(partitions: 1);
        await cluster.KillAsync(cluster.Nodes[0]);
        await cluster.KillAsync(cluster.Nodes[0]);
        var last = cluster.Nodes[0];
        // Its own deadline ends every request, whether a leader is still believed in or not.
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(3));
        var get = await last.Runtime.Kv.ExecuteAsync("a", Get("a"), deadline.Token);
        Assert.Equal(OutcomeKind.NotExecuted, get.Failure.Outcome);
        Assert.Equal(ErrorCode.NoQuorum, get.Failure.Code);
    }
}
