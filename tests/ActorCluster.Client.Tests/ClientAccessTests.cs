using ActorCluster.Protocol.Admin;
using ActorCluster.Protocol.Grains;
using Google.Protobuf;
using Proto;
using Proto.Remote;

namespace ActorCluster.Client.Tests;

/// <summary>What a client reaches on a real node.</summary>
public sealed class ClientAccessTests : IAsyncLifetime
{
    readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("actorcluster-access-test");
    ClusterNode _node = null!;
    ActorClusterClient _client = null!;

    public async Task InitializeAsync()
    {
        var address = $"127.0.0.1:{RealNodesTests.FreePorts(1).Single()}";
        _node = new ClusterNode(
            new ActorClusterOptions { Name = "n1", Listen = address, Seeds = [address], Expect = 1, Partitions = 1, DataDirectory = _directory.FullName },
            new ClusterNodeSetup());
        await _node.StartAsync();
        await _node.Joined.WaitAsync(TimeSpan.FromSeconds(60));
        _client = await ActorClusterClient.ConnectAsync([_node.System.Address]);
    }

    public async Task DisposeAsync()
    {
        await _client.DisposeAsync();
        await _node.StopAsync();
        _directory.Delete(recursive: true);
    }

    [Theory]
    [InlineData("membership")]
    [InlineData("probe")]
    [InlineData("raft/0")]
    [InlineData("partitions")]
    [InlineData("placement")]
    [InlineData("leader-scout")]
    [InlineData("grains")]
    public async Task Actors_that_serve_members_only_are_closed_to_clients(string actor)
    {
        var refused = new TaskCompletionSource<ClientMessageRefused>(TaskCreationOptions.RunContinuationsAsynchronously);
        _node.System.EventStream.Subscribe<ClientMessageRefused>(refused.SetResult);

        var trouble = await Assert.ThrowsAsync<DeadLetterException>(() => AskAsync<object>(actor, new GetMembers()));

        Assert.Contains("may not send", trouble.Message);
        Assert.Equal(actor, (await refused.Task).TargetId);
    }

    [Fact]
    public async Task Actors_that_serve_clients_answer_them()
    {
        Assert.Single((await AskAsync<Members>("admin", new GetMembers())).Members_);
        Assert.NotNull(await AskAsync<Located>("grains", new Locate { Kind = "counter", Identity = "c" }));
    }

    Task<T> AskAsync<T>(string actor, IMessage question) =>
        _client.Cluster.System.Root.RequestAsync<T>(PID.FromAddress(_node.System.Address, actor), question, new CancellationTokenSource(TimeSpan.FromSeconds(30)).Token);
}
