using System.Net;
using ActorCluster.Node.Startup;

namespace ActorCluster.Node.Tests;

/// <summary>The life of a real node process: it forms a cluster of one, serves, stops when told, and comes back with its data.</summary>
public sealed class NodeLifeTests : IDisposable
{
    readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("actorcluster-node-life");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public async Task A_node_stops_cleanly_on_SIGTERM_and_SIGINT_and_comes_back_with_what_it_acknowledged()
    {
        using (var node = new RunningNode(_directory.FullName))
        {
            using var http = await node.HealthyAsync();
            var put = await http.PutAsync("/v1/kv/greeting", new StringContent("hello"));
            Assert.True(put.IsSuccessStatusCode, await put.Content.ReadAsStringAsync());
            node.Signal(RunningNode.Sigterm);
            Assert.True(await node.ExitCodeAsync() == ExitCode.Ok, node.Log);
        }

        using (var node = new RunningNode(_directory.FullName))
        {
            using var http = await node.HealthyAsync();
            Assert.Equal("hello", await http.GetStringAsync("/v1/kv/greeting"));
            node.Signal(RunningNode.Sigint);
            Assert.True(await node.ExitCodeAsync() == ExitCode.Ok, node.Log);
        }
    }

    [Fact]
    public async Task A_second_node_on_the_same_directory_ends_at_once_and_says_why()
    {
        using var first = new RunningNode(_directory.FullName);
        using var http = await first.HealthyAsync();
        using var second = new RunningNode(_directory.FullName);
        Assert.Equal(ExitCode.Failed, await second.ExitCodeAsync());
        Assert.Contains(_directory.FullName, second.Log, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync("/health")).StatusCode);
    }

    [Fact]
    public async Task Damaged_data_ends_the_process_with_3_and_the_reason()
    {
        using (var node = new RunningNode(_directory.FullName))
        {
            using var http = await node.HealthyAsync();
            node.Signal(RunningNode.Sigterm);
            await node.ExitCodeAsync();
        }

        foreach (var identity in _directory.GetFiles("identity*", SearchOption.AllDirectories)) await File.WriteAllBytesAsync(identity.FullName, new byte[64]);
        using var damaged = new RunningNode(_directory.FullName);
        Assert.True(await damaged.ExitCodeAsync() == ExitCode.StorageFailed, damaged.Log);
        Assert.Contains("damaged", damaged.Log, StringComparison.Ordinal);
    }
}
