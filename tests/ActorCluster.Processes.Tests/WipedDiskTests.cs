using ActorCluster.Processes.Tests.Fixture;

namespace ActorCluster.Processes.Tests;

/// <summary>A node that lost its disk is another node: it must not answer for the old one.</summary>
public sealed class WipedDiskTests
{
    [Fact]
    public async Task A_wiped_node_loses_no_acknowledged_write_and_casts_no_vote_in_an_old_group()
    {
        using var cluster = await ProcessCluster.StartAsync(partitions: 4, placementInterval: "24h"); // nobody gives it new replicas
        var (leader, wiped, oldUid, keys) = await WriteAndWipeAsync(cluster);
        // It lives again, as somebody else.
        await cluster.EventuallyAsync(async () =>
        {
            var members = await wiped.Http.MembersAsync();
            if (members is null) return $"{wiped.Name} does not answer";
            var mine = members.Members.Where(m => m.Name == wiped.Name).ToList();
            return mine.Any(m => m.Uid != oldUid) ? null : $"{wiped.Name} knows itself only as {string.Join(", ", mine)}";
        });
        foreach (var key in keys)
        {
            var answer = await leader.Http.GetAsync(key);
            Assert.True(answer.Value == key, $"{key}: {answer}");
        }

        // Of each old group, one voter of three is left: the wiped node's vote would make a majority, and must not be given.
        var last = cluster.Nodes.Single(n => n != leader && n != wiped);
        cluster.Kill(leader);
        for (var attempt = 0; attempt < 3; attempt++)
        {
            var write = await last.Http.PutAsync("w-minority", "1", deadlineMs: 2000);
            Assert.False(write.IsOk, $"a group elected a leader with one of its three voters: {write}");
            Assert.NotEqual(Answer.Hung, write.Code);
        }

        Assert.DoesNotContain((await last.Http.GroupsAsync())!, g => g.IsPartition && g.Leads); // in the coordinator group the new node may vote
        cluster.Start(leader);
        foreach (var key in keys)
        {
            await cluster.EventuallyAsync(async () =>
            {
                var answer = await last.Http.GetAsync(key);
                if (answer.IsNotFound) Assert.Fail($"{key} is lost");
                return answer.Value == key ? null : $"{key}: {answer}";
            });
        }
    }

    /// <summary>As a new member it gets the replicas of the one that it replaces, with all their data, and then its votes count.</summary>
    [Fact]
    public async Task A_wiped_node_is_given_replicas_again_and_the_cluster_survives_the_next_loss()
    {
        using var cluster = await ProcessCluster.StartAsync(partitions: 4, placementInterval: "100ms");
        var (leader, wiped, oldUid, keys) = await WriteAndWipeAsync(cluster);

        await cluster.EventuallyAsync(async () =>
        {
            if (await leader.Http.PartitionsAsync() is not { } partitions) return "the partitions are not shown";
            return partitions.All(p => p.IsSettled && p.Replicas.Count == 3 && !p.Replicas.Contains(oldUid)) ? null : $"replicas are {string.Join("; ", partitions)}";
        });

        cluster.Kill(leader);
        foreach (var key in keys)
        {
            await cluster.EventuallyAsync(async () =>
            {
                var answer = await wiped.Http.GetAsync(key);
                if (answer.IsNotFound) Assert.Fail($"{key} is lost");
                return answer.Value == key ? null : $"{key}: {answer}";
            });
        }
    }

    [Fact]
    public async Task Two_wiped_nodes_of_three_never_form_a_second_cluster()
    {
        using var cluster = await ProcessCluster.StartAsync(partitions: 1);
        await cluster.WriteAsync(cluster.Nodes[0], "kept", "1");
        var clusterId = (await cluster.Nodes[2].Http.MembersAsync())!.ClusterId;
        Assert.NotEqual("", clusterId);
        foreach (var node in cluster.Nodes) cluster.Kill(node);
        foreach (var node in cluster.Nodes.Take(2)) node.Wipe();
        foreach (var node in cluster.Nodes) cluster.Start(node);

        // Watched for a while: there is no event for "never".
        var answered = 0;
        using var watch = new PeriodicTimer(TimeSpan.FromMilliseconds(250));
        for (var sample = 0; sample < 60 && answered < 20; sample++)
        {
            await watch.WaitForNextTickAsync();
            foreach (var node in cluster.Nodes.Take(2))
            {
                if (await node.Http.MembersAsync() is not { } members) continue;
                answered++;
                Assert.True(members.ClusterId == "" || members.ClusterId == clusterId, $"{node.Name} formed {members.ClusterId} beside {clusterId}");
                Assert.False((await node.Http.HealthAsync()).IsOk, $"{node.Name} claims to serve");
            }
        }

        Assert.True(answered > 0, $"no wiped node ever answered\n{cluster.Logs()}");
        foreach (var node in cluster.Nodes)
        {
            var write = await node.Http.PutAsync("second", "1", deadlineMs: 1000);
            Assert.False(write.IsOk, $"{node.Name} acknowledged a write: {write}");
            Assert.NotEqual(Answer.Hung, write.Code);
        }
    }

    /// <summary>Writes keys through the node that leads most, then kills and wipes another node and starts it again.</summary>
    static async Task<(NodeProcess Leader, NodeProcess Wiped, string OldUid, IReadOnlyList<string> Keys)> WriteAndWipeAsync(ProcessCluster cluster)
    {
        var (leader, wiped) = await cluster.LeadersAsync();
        var keys = Enumerable.Range(0, 20).Select(i => $"w{i}").ToList();
        foreach (var key in keys) await cluster.WriteAsync(leader, key, key);
        var oldUid = (await leader.Http.MembersAsync())!.Members.Single(m => m.Name == wiped.Name).Uid;
        cluster.Kill(wiped);
        wiped.Wipe();
        cluster.Start(wiped);
        return (leader, wiped, oldUid, keys);
    }
}
