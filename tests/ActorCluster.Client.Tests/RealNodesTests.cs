using System.Net;
using System.Net.Sockets;
using System.Text;
using ActorCluster.Protocol;
using ActorCluster.Protocol.Grains;
using ActorCluster.Protocol.Keyspace;
using ActorCluster.Protocol.Membership;
using Proto.Cluster;

namespace ActorCluster.Client.Tests;

/// <summary>The client against three real nodes in this process: all that it offers, and a node that stops under it.</summary>
public sealed class RealNodesTests : IAsyncLifetime
{
    readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("actorcluster-client-test");
    readonly ClusterNode[] _nodes = new ClusterNode[3];
    readonly string[] _seeds = [.. FreePorts(3).Select(port => $"127.0.0.1:{port}")];
    ActorClusterClient _client = null!;

    static CancellationToken Soon => new CancellationTokenSource(TimeSpan.FromSeconds(60)).Token;

    public async Task InitializeAsync()
    {
        for (var i = 0; i < _nodes.Length; i++)
        {
            _nodes[i] = new ClusterNode(
                new ActorClusterOptions
                {
                    Name = $"n{i + 1}",
                    Listen = _seeds[i],
                    Seeds = _seeds,
                    Expect = _nodes.Length,
                    Partitions = 4,
                    DataDirectory = Path.Combine(_directory.FullName, $"n{i + 1}"),
                },
                new ClusterNodeSetup());
            await _nodes[i].StartAsync();
        }

        await Task.WhenAll(_nodes.Select(n => n.Joined)).WaitAsync(TimeSpan.FromSeconds(60));
        _client = await ActorClusterClient.ConnectAsync(_seeds, new() { RequestTimeout = TimeSpan.FromSeconds(60) });
    }

    public async Task DisposeAsync()
    {
        await _client.DisposeAsync();
        await Task.WhenAll(_nodes.Select(n => n.StopAsync()));
        _directory.Delete(recursive: true);
    }

    [Fact]
    public async Task Grains_keys_and_questions_work_from_outside_and_a_stopped_node_loses_nothing()
    {
        await Parallel.ForAsync(0, 200, async (i, ct) =>
            await _client.Grains.CallAsync<CounterValue>("counter", $"c{i % 10}", new CounterAdd { Amount = 1 }, ct));
        Assert.Equal(20, (await _client.Grains.CallAsync<CounterValue>("counter", "c3", new CounterGet())).Value);

        var written = await _client.Kv.PutAsync("key/ü", Encoding.UTF8.GetBytes("value"));
        var read = await _client.Kv.GetAsync("key/ü");
        Assert.Equal(("value", written.Version), (Encoding.UTF8.GetString(read!.Bytes.Span), read.Version));
        Assert.True((await _client.Kv.DeleteAsync("key/ü")).Existed);
        Assert.Null(await _client.Kv.GetAsync("key/ü"));

        // Proto.Cluster's own call finds any kind.
        var reply = await _client.Cluster.RequestAsync<KvReply>("key/ü", "kv", new KvRequest { Get = new KvGet { Key = "key/ü" } }, Soon);
        Assert.Null(reply.Failure);
        Assert.Equal(20, (await _client.Cluster.RequestAsync<CounterValue>("c4", "counter", new CounterGet(), Soon)).Value);

        var members = await _client.Admin.MembersAsync();
        Assert.Equal(["n1", "n2", "n3"], members.Members_.Select(m => m.Name).Order(StringComparer.Ordinal));
        Assert.Equal(4, (await _client.Admin.PartitionsAsync()).Partitions_.Count);
        Assert.Equal("n2", (await _client.Admin.GroupsAsync(_seeds[1])).AnsweredBy);
        Assert.Equal("counter/c3", (await _client.Admin.WhereAsync("counter", "c3")).Located.Id.Split('@')[0]);

        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        await using var watch = _client.Admin.WatchAsync(members, patience.Token).GetAsyncEnumerator(patience.Token);
        var change = watch.MoveNextAsync().AsTask();
        await _nodes[0].StopAsync();
        await Parallel.ForAsync(0, 100, async (i, ct) =>
            await _client.Grains.CallAsync<CounterValue>("counter", $"c{i % 10}", new CounterAdd { Amount = 1 }, ct));
        for (var i = 0; i < 10; i++) Assert.Equal(30, (await _client.Grains.CallAsync<CounterValue>("counter", $"c{i}", new CounterGet())).Value);
        Assert.True(await change);
        Assert.Equal(("n1", MemberState.Unreachable), (watch.Current.Name, watch.Current.Current));
    }

    [Fact]
    public async Task An_unknown_kind_is_named_with_those_that_exist()
    {
        var failed = await Assert.ThrowsAsync<NotExecutedException>(() => _client.Grains.CallAsync<CounterValue>("cart", "x", new CounterGet()));
        Assert.Equal(ErrorCode.UnknownKind, failed.Code);
        Assert.Contains("counter", failed.Message, StringComparison.Ordinal);
    }

    internal static int[] FreePorts(int count)
    {
        var listeners = Enumerable.Range(0, count).Select(_ => new TcpListener(IPAddress.Loopback, 0)).ToArray();
        try
        {
            foreach (var listener in listeners) listener.Start();
            return [.. listeners.Select(l => ((IPEndPoint)l.LocalEndpoint).Port)];
        }
        finally
        {
            foreach (var listener in listeners) listener.Dispose();
        }
    }
}
