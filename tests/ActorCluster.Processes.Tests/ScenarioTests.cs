using System.Globalization;
using ActorCluster.Processes.Tests.Fixture;

namespace ActorCluster.Processes.Tests;

/// <summary>
/// The scenario list of requirements/raft-kv.md, block G, on real processes and /v1, with one partition and, where it has a
/// meaning per group, with sixteen. Each test leaves three nodes that serve.
/// </summary>
[Collection(SharedClustersCollection.Name)]
public sealed class ScenarioTests(SharedClusters clusters)
{
    [Theory]
    [InlineData(1)]
    [InlineData(16)]
    public async Task A1_Every_group_has_one_leader_and_two_followers_in_one_term(int partitions)
    {
        var cluster = await clusters.GetAsync(partitions);
        await cluster.EventuallyAsync(async () =>
        {
            if (await cluster.GroupsAsync() is not { } all) return "a node does not show its groups";
            var byName = all.Values.SelectMany(g => g).GroupBy(g => g.Name).ToList();
            if (byName.Count != partitions + 1) return $"{byName.Count} groups, expected the coordinator and {partitions} partitions";
            foreach (var group in byName)
            {
                var roles = string.Join(' ', group.Select(g => g.Role).Order(StringComparer.Ordinal));
                if (roles != "Follower Follower Leader") return $"{group.Key}: {roles}";
                if (group.Select(g => g.Term).Distinct().Count() != 1) return $"{group.Key} has terms {string.Join(' ', group.Select(g => g.Term))}";
                if (group.Select(g => g.LeaderName).Distinct().Count() != 1) return $"{group.Key} follows {string.Join(' ', group.Select(g => g.LeaderName))}";
            }

            return null;
        });
    }

    /// <summary>Fifteen samples, one a second, of both clusters at a time: watching is what this test does.</summary>
    [Fact]
    public async Task A2_Nobody_campaigns_while_nothing_happens()
    {
        var watched = new[] { await clusters.GetAsync(1), await clusters.GetAsync(16) };
        foreach (var cluster in watched) await cluster.AgreeOnLeadersAsync();
        var first = await Task.WhenAll(watched.Select(Leaders));
        using var second = new PeriodicTimer(TimeSpan.FromSeconds(1));
        for (var sample = 0; sample < 15; sample++)
        {
            await second.WaitForNextTickAsync();
            for (var i = 0; i < watched.Length; i++) Assert.Equal(first[i], await Leaders(watched[i]));
        }

        static async Task<string> Leaders(ProcessCluster cluster)
        {
            var all = await cluster.GroupsAsync();
            Assert.NotNull(all);
            Assert.DoesNotContain(all.Values.SelectMany(g => g), g => g.Role is not ("Leader" or "Follower"));
            return string.Join('\n', all.Values.SelectMany(g => g).Select(g => $"{g.Name} term {g.Term} {g.LeaderName}").Distinct().Order(StringComparer.Ordinal));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(16)]
    public async Task B2_A_write_through_any_node_is_committed_and_applied(int partitions)
    {
        var cluster = await clusters.GetAsync(partitions);
        foreach (var node in cluster.Nodes)
        {
            var key = SharedClusters.Key("t2", partitions);
            var before = await cluster.ProgressAsync();
            var answer = await node.Http.PutAsync(key, "222");
            Assert.True(answer.IsOk, $"{node.Name}: {answer}");
            Assert.Contains($"\"key\":\"{key}\"", answer.Body, StringComparison.Ordinal);
            var after = await cluster.ProgressAsync();
            Assert.True(after.Commit > before.Commit && after.Last > before.Last, $"{before} → {after}");
            await cluster.ReadsAsync(key, "222");
        }

        await cluster.EventuallyAsync(async () => (await cluster.GroupsAsync())?.Values.SelectMany(g => g).All(g => g.AppliedIndex >= g.CommitIndex) == true
            ? null
            : "a replica has not applied what it knows to be committed");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(16)]
    public async Task C1_A_write_is_readable_through_every_node(int partitions)
    {
        var cluster = await clusters.GetAsync(partitions);
        var key = SharedClusters.Key("t2", partitions);
        Assert.True((await cluster.Nodes[1].Http.PutAsync(key, "222")).IsOk);
        foreach (var node in cluster.Nodes)
        {
            var answer = await node.Http.GetAsync(key);
            Assert.True(answer.Value == "222", $"{node.Name}: {answer}");
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(16)]
    public async Task C2_Writes_one_after_another_are_all_there(int partitions)
    {
        var cluster = await clusters.GetAsync(partitions);
        var before = await cluster.ProgressAsync();
        var keys = Enumerable.Range(1, 3).Select(i => SharedClusters.Key($"o{i}", partitions)).ToList();
        foreach (var key in keys) Assert.True((await cluster.Nodes[0].Http.PutAsync(key, key)).IsOk);
        foreach (var key in keys) await cluster.ReadsAsync(key, key);
        var after = await cluster.ProgressAsync();
        Assert.True(after.Commit >= before.Commit + 3, $"{before} → {after}");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(16)]
    public async Task D1_A_follower_that_was_stopped_catches_up(int partitions)
    {
        var cluster = await clusters.GetAsync(partitions);
        var (leader, follower) = await cluster.LeadersAsync();
        await cluster.StopAsync(follower);
        var keys = Enumerable.Range(1, 3).Select(i => SharedClusters.Key($"cf{i}", partitions)).ToList();
        foreach (var key in keys) await cluster.WriteAsync(leader, key, key);
        var committed = await cluster.ProgressAsync();

        await cluster.RestartAsync(follower);
        foreach (var key in keys) await cluster.ReadsAsync(key, key);
        await cluster.EventuallyAsync(async () =>
        {
            var applied = (ulong)((await follower.Http.GroupsAsync())?.Where(g => g.IsPartition).Sum(g => (long)g.AppliedIndex) ?? 0);
            return applied >= committed.Commit ? null : $"{follower.Name} has applied {applied} of {committed.Commit}";
        });
    }

    [Theory]
    [InlineData(1)]
    [InlineData(16)]
    public async Task F1_A_majority_is_enough(int partitions)
    {
        var cluster = await clusters.GetAsync(partitions);
        var (leader, follower) = await cluster.LeadersAsync();
        cluster.Kill(follower);
        var key = SharedClusters.Key("f_majority", partitions);
        await cluster.WriteAsync(leader, key, "1");
        await cluster.ReadsAsync(key, "1");
        await cluster.RestartAsync(follower);
        await cluster.ReadsAsync(key, "1");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(16)]
    public async Task F2_Without_a_majority_nothing_is_written_or_read(int partitions)
    {
        var cluster = await clusters.GetAsync(partitions);
        var (leader, _) = await cluster.LeadersAsync();
        foreach (var follower in cluster.Nodes.Where(n => n != leader)) cluster.Kill(follower);
        var before = await leader.Http.GroupsAsync();
        Assert.NotNull(before);

        var key = SharedClusters.Key("f_minority", partitions);
        var write = await leader.Http.PutAsync(key, "1");
        Assert.False(write.IsOk, $"acknowledged without a majority: {write}");
        var read = await leader.Http.GetAsync(key);
        Assert.False(read.IsOk || read.IsNotFound, $"read without a majority: {read}");
        Assert.True(read.Code is "NoQuorum" or "DeadlineExceeded", $"{read}");
        var after = await leader.Http.GroupsAsync();
        Assert.NotNull(after);
        Assert.Equal(before.Where(g => g.IsPartition).Select(g => g.CommitIndex), after.Where(g => g.IsPartition).Select(g => g.CommitIndex));

        await cluster.RestoreAsync();
        await SameEverywhereAsync(cluster, key, write, "1");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(16)]
    public async Task G1_Writes_before_and_after_a_leader_was_killed_are_all_there(int partitions)
    {
        var cluster = await clusters.GetAsync(partitions);
        var (leader, other) = await cluster.LeadersAsync();
        var first = SharedClusters.Key("lc1", partitions);
        var second = SharedClusters.Key("lc2", partitions);
        await cluster.WriteAsync(leader, first, "10");
        cluster.Kill(leader);
        await cluster.AgreeOnLeadersAsync();
        await cluster.WriteAsync(other, second, "20");
        await cluster.RestartAsync(leader);
        await cluster.ReadsAsync(first, "10");
        await cluster.ReadsAsync(second, "20");
    }

    /// <summary>B6 of faults.md: a fail-over loses nothing. One key in every partition.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(16)]
    public async Task B6_What_was_written_is_there_after_the_leader_was_killed(int partitions)
    {
        var cluster = await clusters.GetAsync(partitions);
        var (leader, _) = await cluster.LeadersAsync();
        var keys = Enumerable.Range(0, partitions * 4).Select(i => SharedClusters.Key($"b6.{i}", partitions)).ToList();
        await Task.WhenAll(keys.Select(key => cluster.WriteAsync(leader, key, key)));
        cluster.Kill(leader);
        foreach (var key in keys) await cluster.ReadsAsync(key, key);
        await cluster.RestartAsync(leader);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(16)]
    public async Task H1_Every_entry_is_applied_once(int partitions)
    {
        var cluster = await clusters.GetAsync(partitions);
        await SettledAsync(cluster);
        var before = await cluster.GroupsAsync();
        for (var i = 1; i <= 5; i++) await cluster.WriteAsync(cluster.Nodes[i % 3], SharedClusters.Key($"h{i}", partitions), "1");
        await SettledAsync(cluster);
        var after = await cluster.GroupsAsync();

        Assert.NotNull(before);
        Assert.NotNull(after);
        foreach (var node in cluster.Nodes)
        {
            ulong moved = 0;
            foreach (var (was, now) in before[node].Zip(after[node]))
            {
                Assert.Equal(was.Name, now.Name);
                // What it applied since, counted one by one, is exactly how far its applied index moved.
                Assert.True(
                    now.AppliedEntries - was.AppliedEntries == now.AppliedIndex - was.AppliedIndex,
                    $"{node.Name} {now.Name}: applied {was.AppliedEntries} → {now.AppliedEntries}, index {was.AppliedIndex} → {now.AppliedIndex}");
                if (now.IsPartition) moved += now.AppliedIndex - was.AppliedIndex;
            }

            Assert.True(moved >= 5, $"{node.Name} applied {moved} entries for five writes");
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(16)]
    public async Task P1_A_follower_restarted_on_its_data_has_what_came_before_and_meanwhile(int partitions)
    {
        var cluster = await clusters.GetAsync(partitions);
        var (leader, follower) = await cluster.LeadersAsync();
        var keys = Enumerable.Range(1, 10).Select(i => SharedClusters.Key($"k{i}", partitions)).ToList();
        foreach (var key in keys.Take(5)) await cluster.WriteAsync(leader, key, key);
        await cluster.StopAsync(follower);
        foreach (var key in keys.Skip(5)) await cluster.WriteAsync(leader, key, key);
        await cluster.RestartAsync(follower);
        foreach (var key in keys)
        {
            var answer = await follower.Http.GetAsync(key);
            Assert.True(answer.Value == key, $"{key} through {follower.Name}: {answer}");
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(16)]
    public async Task P2_A_killed_leader_comes_back_as_one_of_the_others(int partitions)
    {
        var cluster = await clusters.GetAsync(partitions);
        var (leader, other) = await cluster.LeadersAsync();
        var x = SharedClusters.Key("x", partitions);
        var y = SharedClusters.Key("y", partitions);
        await cluster.WriteAsync(leader, x, "10");
        cluster.Kill(leader);
        await cluster.AgreeOnLeadersAsync();
        await cluster.WriteAsync(other, y, "20");
        await cluster.RestartAsync(leader);
        await cluster.ReadsAsync(x, "10");
        await cluster.ReadsAsync(y, "20");
        await cluster.AgreeOnLeadersAsync();
        var groups = await leader.Http.GroupsAsync();
        Assert.NotNull(groups);
        Assert.All(groups, g => Assert.NotEqual("", g.LeaderName));
        // A leader that works is not displaced by one that comes back.
        Assert.All(groups, g => Assert.True(g.Role == "Follower", $"{g.Name}: {g.Role}"));
    }

    /// <summary>
    /// J07: where the old leader may win the next election, its unacknowledged write may yet be committed. What must hold is
    /// that all nodes say the same.
    /// </summary>
    [Theory]
    [InlineData(1)]
    [InlineData(16)]
    public async Task P3_A_write_without_a_majority_ends_the_same_on_all_nodes(int partitions)
    {
        var cluster = await clusters.GetAsync(partitions);
        var (leader, _) = await cluster.LeadersAsync();
        foreach (var follower in cluster.Nodes.Where(n => n != leader)) cluster.Kill(follower);
        var z = SharedClusters.Key("z", partitions);
        var write = await leader.Http.PutAsync(z, "999", deadlineMs: 2000);
        Assert.False(write.IsOk, $"acknowledged without a majority: {write}");
        cluster.Kill(leader);
        await cluster.RestoreAsync();
        await SameEverywhereAsync(cluster, z, write, "999");
    }

    /// <summary>As P3, with the scene set so that the old leader cannot win: the others elect and write before it is back.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(16)]
    public async Task P3_A_write_without_a_majority_is_absent_where_the_old_leader_cannot_win(int partitions)
    {
        var cluster = await clusters.GetAsync(partitions);
        var (leader, _) = await cluster.LeadersAsync();
        var followers = cluster.Nodes.Where(n => n != leader).ToList();
        foreach (var follower in followers) cluster.Kill(follower);
        var z = SharedClusters.Key("z", partitions);
        var write = await leader.Http.PutAsync(z, "999", deadlineMs: 2000);
        Assert.False(write.IsOk, $"acknowledged without a majority: {write}");
        cluster.Kill(leader);

        foreach (var follower in followers) cluster.Start(follower);
        await cluster.AgreeOnLeadersAsync();
        await cluster.ReadsAsync(z, null);
        await cluster.RestartAsync(leader);
        await cluster.ReadsAsync(z, null);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(16)]
    public async Task S1_All_is_there_after_a_restart_from_a_snapshot(int partitions)
    {
        var cluster = await clusters.GetAsync(partitions);
        var (leader, _) = await cluster.LeadersAsync();
        // Enough for every partition's log to outgrow the 20 entries after which it takes a snapshot.
        var keys = Enumerable.Range(1, 60 * partitions).Select(i => SharedClusters.Key($"s{i}", partitions)).ToList();
        foreach (var some in keys.Chunk(32)) await Task.WhenAll(some.Select(key => cluster.WriteAsync(leader, key, key)));
        await cluster.EventuallyAsync(async () =>
        {
            var without = (await leader.Http.GroupsAsync())?.Where(g => g.IsPartition && g.SnapshotIndex == 0).ToList();
            return without is { Count: 0 } ? null : $"no snapshot of {string.Join(", ", without?.Select(g => g.Name) ?? ["?"])} at {leader.Name}";
        });

        cluster.Kill(leader);
        await cluster.RestartAsync(leader);
        foreach (var some in keys.Chunk(32))
        {
            var answers = await Task.WhenAll(some.Select(async key => (Key: key, Answer: await leader.Http.GetAsync(key))));
            foreach (var (key, answer) in answers) Assert.True(answer.Value == key, $"{key}: {answer}");
        }

        // It did not apply its whole history again: it began at a snapshot.
        var groups = await leader.Http.GroupsAsync();
        Assert.NotNull(groups);
        Assert.All(groups.Where(g => g.IsPartition), g => Assert.True(
            g.AppliedEntries < g.AppliedIndex, string.Create(CultureInfo.InvariantCulture, $"{g.Name} applied {g.AppliedEntries} entries up to {g.AppliedIndex}")));
    }

    /// <summary>A write whose end is unknown: everywhere the value, or everywhere nothing. One that was not executed: nothing.</summary>
    static async Task SameEverywhereAsync(ProcessCluster cluster, string key, Answer write, string value)
    {
        var seen = new HashSet<string>();
        foreach (var node in cluster.Nodes)
        {
            await cluster.EventuallyAsync(async () =>
            {
                var answer = await node.Http.GetAsync(key);
                if (!answer.IsOk && !answer.IsNotFound) return $"{key} through {node.Name}: {answer}";
                seen.Add(answer.Value ?? "absent");
                return null;
            });
        }

        Assert.Single(seen);
        Assert.Contains(seen.Single(), new[] { "absent", value });
        if (write.Outcome == Simulation.Histories.OperationOutcome.NotExecuted) Assert.Equal("absent", seen.Single());
    }

    /// <summary>Waits until all replicas have applied everything that any of them has.</summary>
    static Task SettledAsync(ProcessCluster cluster) => cluster.EventuallyAsync(async () =>
    {
        if (await cluster.GroupsAsync() is not { } all) return "a node does not show its groups";
        var uneven = all.Values.SelectMany(g => g).GroupBy(g => g.Name)
            .Where(g => g.Select(r => r.AppliedIndex).Distinct().Count() != 1 || g.Any(r => r.AppliedIndex != r.LastIndex)).ToList();
        return uneven.Count == 0 ? null : $"{uneven[0].Key} is applied up to {string.Join(' ', uneven[0].Select(r => r.AppliedIndex))}";
    });
}
