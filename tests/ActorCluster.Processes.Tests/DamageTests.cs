using System.Text.Json;
using ActorCluster.Processes.Tests.Fixture;

namespace ActorCluster.Processes.Tests;

/// <summary>Disks that lose what they held: repaired by the others, or, when a majority is lost for ever, recovered by hand.</summary>
public sealed class DamageTests
{
    [Fact]
    public async Task A15_A_node_whose_log_was_damaged_starts_is_repaired_by_the_others_and_serves()
    {
        using var cluster = await ProcessCluster.StartAsync(partitions: 2, snapshotEntries: 10_000);
        var keys = Enumerable.Range(0, 20).Select(i => $"to-damage-{i}").ToList();
        foreach (var key in keys) await cluster.WriteAsync(cluster.Nodes[0], key, key);
        var damaged = cluster.Nodes[0];
        await cluster.StopAsync(damaged);
        var segment = Directory.GetFiles(Path.Combine(damaged.Settings.DataDirectory, "log"), "*.log").Single();
        FlipABit(segment, text: "to-damage-7");

        var (code, output, _) = await ActorCtlProcess.RunAsync("raft", "inspect", damaged.Settings.DataDirectory, "--json");
        Assert.Equal(0, code);
        using var report = JsonDocument.Parse(output);
        var damage = report.RootElement.GetProperty("damages").EnumerateArray().First();
        Assert.Equal(Path.GetFileName(segment), damage.GetProperty("file").GetString());
        Assert.True(damage.GetProperty("group").GetUInt64() >= 1000 && damage.GetProperty("index").GetUInt64() > 0, output);

        await cluster.RestartAsync(damaged);
        Assert.Contains("lost what was durable", damaged.Log(), StringComparison.Ordinal);
        Assert.Contains("is suspect", damaged.Log(), StringComparison.Ordinal);
        await cluster.EventuallyAsync(() => Task.FromResult(damaged.Log().Contains("is trusted again", StringComparison.Ordinal) ? null : "it is still suspect"));

        // It is worth as much as any other again: without another one the two still decide.
        cluster.Kill(cluster.Nodes[1]);
        foreach (var key in keys) await cluster.ReadsAsync(key, key);
        await cluster.WriteAsync(damaged, "d-after", "1");
    }

    [Fact]
    public async Task The_last_replica_of_three_is_recovered_by_hand_and_serves_alone()
    {
        using var cluster = await ProcessCluster.StartAsync(partitions: 2, snapshotEntries: 15);
        var keys = Enumerable.Range(0, 40).Select(i => $"r{i}").ToList();
        foreach (var key in keys) await cluster.WriteAsync(cluster.Nodes[0], key, key);
        foreach (var key in keys) await cluster.ReadsAsync(key, key); // so that each replica has all of them
        var last = cluster.Nodes[2];
        string[] recover = ["raft", "recover", last.Settings.DataDirectory, "--all-groups", "--by", "a test", "--reason", "two disks burnt"];

        // Not while the node runs, and not without saying what it costs.
        Assert.Contains("locked", (await ActorCtlProcess.RunAsync([.. recover, "--the-others-are-lost-for-ever"])).Errors, StringComparison.Ordinal);
        foreach (var node in cluster.Nodes) await cluster.StopAsync(node);
        foreach (var node in cluster.Nodes.Take(2)) node.Wipe();
        var refused = await ActorCtlProcess.RunAsync(recover);
        Assert.Equal(1, refused.Code);
        Assert.Contains("Nothing was done", refused.Errors, StringComparison.Ordinal);

        var done = await ActorCtlProcess.RunAsync([.. recover, "--the-others-are-lost-for-ever"]);
        Assert.True(done.Code == 0, done.Errors);
        Assert.Contains("alone votes from now on", done.Output, StringComparison.Ordinal);

        cluster.Start(last);
        await cluster.HealthyAsync(last);
        foreach (var key in keys) await cluster.ReadsAsync(key, key);
        await cluster.WriteAsync(last, "r-after", "1");
        await cluster.ReadsAsync("r-after", "1");

        await cluster.StopAsync(last);
        var (_, output, _) = await ActorCtlProcess.RunAsync("raft", "inspect", last.Settings.DataDirectory, "--json");
        using var report = JsonDocument.Parse(output);
        Assert.All(report.RootElement.GetProperty("groups").EnumerateArray(), g =>
            Assert.Contains("by a test: two disks burnt", g.GetProperty("forcedRecovery").GetString(), StringComparison.Ordinal));
    }

    /// <summary>Damages the first place of a file where a text stands.</summary>
    static void FlipABit(string path, string text)
    {
        var bytes = File.ReadAllBytes(path);
        var at = bytes.AsSpan().IndexOf(System.Text.Encoding.UTF8.GetBytes(text));
        Assert.True(at > 0, $"{text} is not in {path}");
        bytes[at] ^= 1;
        File.WriteAllBytes(path, bytes);
    }
}
