using System.Globalization;
using ActorCluster.Processes.Tests.Fixture;
using ActorCluster.Raft;
using Xunit.Abstractions;

namespace ActorCluster.Processes.Tests;

/// <summary>
/// kill -9 at any moment under load: no acknowledged write lost, no increment applied twice, service back within seconds.
/// KILL_ROUNDS and KILL_SEED change how many and which.
/// </summary>
[Collection(SharedClustersCollection.Name)]
public sealed class KillTests(SharedClusters clusters, ITestOutputHelper output)
{
    static readonly TimeSpan BackWithin = TimeSpan.FromSeconds(15);
    static readonly int Rounds = int.Parse(Environment.GetEnvironmentVariable("KILL_ROUNDS") ?? "4", CultureInfo.InvariantCulture);
    static readonly ulong Seed = ulong.Parse(Environment.GetEnvironmentVariable("KILL_SEED") ?? "1", CultureInfo.InvariantCulture);

    [Theory]
    [InlineData(1)]
    [InlineData(16)]
    public async Task Kill_9_of_any_node_at_any_moment_loses_nothing_and_doubles_nothing(int partitions)
    {
        var cluster = await clusters.GetAsync(partitions);
        var random = new Xoshiro256(Seed);
        await using var load = await Load.StartAsync(cluster, SharedClusters.Key("kill", partitions));
        await load.MakesProgressAsync(50, ProcessCluster.Patience);
        for (var round = 0; round < Rounds; round++)
        {
            // Every other time the node that leads most.
            var victim = round % 2 == 0 ? (await cluster.LeadersAsync()).Most : cluster.Nodes[random.Next(3)];
            await load.MakesProgressAsync(random.Next(1, 60), ProcessCluster.Patience);
            cluster.Kill(victim);
            await load.MakesProgressAsync(50, BackWithin);
            await cluster.RestartAsync(victim);
            await load.MakesProgressAsync(20, BackWithin);
        }

        await cluster.ServesAsync();
        output.WriteLine(await load.JudgeAsync());
    }

    [Fact]
    public async Task Kill_9_of_all_nodes_at_once_loses_nothing_and_doubles_nothing()
    {
        var cluster = await clusters.GetAsync(16);
        await using var load = await Load.StartAsync(cluster, SharedClusters.Key("kill-all", 16));
        for (var round = 0; round < Math.Max(1, Rounds / 2); round++)
        {
            await load.MakesProgressAsync(100, ProcessCluster.Patience);
            foreach (var node in cluster.Nodes) cluster.Kill(node);
            foreach (var node in cluster.Nodes) cluster.Start(node);
            await cluster.ServesAsync();
        }

        await load.MakesProgressAsync(50, ProcessCluster.Patience);
        output.WriteLine(await load.JudgeAsync());
    }

    /// <summary>SIGTERM is no crash: the node leaves by itself, with exit code 0, and comes back.</summary>
    [Fact]
    public async Task SIGTERM_stops_a_node_by_itself()
    {
        var cluster = await clusters.GetAsync(16);
        var (leader, other) = await cluster.LeadersAsync();
        var key = SharedClusters.Key("term", 16);
        await cluster.WriteAsync(leader, key, "1");
        Assert.Equal(0, await leader.StopAsync());
        await cluster.WriteAsync(other, key, "2");
        await cluster.RestartAsync(leader);
        await cluster.ReadsAsync(key, "2");
    }
}
