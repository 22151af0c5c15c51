using ActorCluster.Processes.Tests.Fixture;
using Xunit.Abstractions;

namespace ActorCluster.Processes.Tests;

/// <summary>A node that stands still and goes on as if no time had passed: the hardest kind of slow.</summary>
[Collection(SharedClustersCollection.Name)]
public sealed class PauseTests(SharedClusters clusters, ITestOutputHelper output)
{
    [Theory]
    [InlineData(1)]
    [InlineData(16)]
    public async Task SIGSTOP_of_the_leader_the_others_go_on_and_it_reads_nothing_stale_afterwards(int partitions)
    {
        var cluster = await clusters.GetAsync(partitions);
        var (leader, _) = await cluster.LeadersAsync();
        var keys = Enumerable.Range(0, partitions * 2).Select(i => SharedClusters.Key($"pause{i}", partitions)).ToList();
        foreach (var key in keys) await cluster.WriteAsync(leader, key, "before");

        leader.Pause();
        var other = cluster.Running.First();
        foreach (var key in keys) await cluster.WriteAsync(other, key, "after");

        // Asked while it stands still, it answers when it goes on, perhaps still believing that it leads.
        var asked = keys.Select(key => leader.Http.GetAsync(key, deadlineMs: 30_000)).ToList();
        leader.Resume();
        foreach (var key in keys)
        {
            var answer = await leader.Http.GetAsync(key, deadlineMs: 1000);
            Assert.False(answer.IsOk && answer.Value != "after", $"stale read of {key}: {answer}");
        }

        foreach (var answer in await Task.WhenAll(asked)) Assert.False(answer.IsOk && answer.Value != "after", $"stale read: {answer}");
        await cluster.ServesAsync();
        foreach (var key in keys) await cluster.ReadsAsync(key, "after");
    }

    [Fact]
    public async Task A_load_with_a_paused_node_stays_linearizable()
    {
        var cluster = await clusters.GetAsync(16);
        await using var load = await Load.StartAsync(cluster, SharedClusters.Key("pause-load", 16));
        await load.MakesProgressAsync(50, ProcessCluster.Patience);
        var (leader, _) = await cluster.LeadersAsync();
        leader.Pause();
        await load.MakesProgressAsync(30, ProcessCluster.Patience);
        leader.Resume();
        await load.MakesProgressAsync(30, ProcessCluster.Patience);
        await cluster.ServesAsync();
        output.WriteLine(await load.JudgeAsync());
    }
}
