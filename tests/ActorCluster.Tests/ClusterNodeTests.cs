using ActorCluster.Protocol;
using ActorCluster.Protocol.Admin;
using ActorCluster.Protocol.Grains;
using ActorCluster.Protocol.Keyspace;
using ActorCluster.Protocol.Membership;
using ActorCluster.Raft.Storage;
using Google.Protobuf;
using Proto;
using Proto.Cluster;

namespace ActorCluster.Tests;

public class ClusterNodeTests
{
    static CancellationToken Soon => new CancellationTokenSource(TimeSpan.FromSeconds(30)).Token;

    [Fact]
    public async Task Three_nodes_form_one_cluster_serve_keys_and_grains_and_survive_a_stopped_node()
    {
        await using var cluster = await InProcessCluster.StartAsync(3);
        var (n1, n2, n3) = (cluster.Nodes[0], cluster.Nodes[1], cluster.Nodes[2]);
        Assert.Single(cluster.Nodes.Select(n => n.Membership.ClusterId).Distinct());

        for (var i = 0; i < 20; i++)
        {
            var put = await n1.Kv.ExecuteAsync($"k{i}", new KvRequest { Put = new KvPut { Key = $"k{i}", Value = ByteString.CopyFromUtf8($"v{i}") } }, Soon);
            Assert.Null(put.Failure);
        }

        for (var i = 0; i < 20; i++)
        {
            var get = await n2.Kv.ExecuteAsync($"k{i}", new KvRequest { Get = new KvGet { Key = $"k{i}" } }, Soon);
            Assert.Null(get.Failure);
            Assert.Equal($"v{i}", get.Value.ToStringUtf8());
        }

        // The same grain from every node, through the engine's own API: one activation (B51, B52).
        for (var i = 0; i < 30; i++)
            await cluster.Nodes[i % 3].Cluster.RequestAsync<CounterValue>("visits", "counter", new CounterAdd { Amount = 1 }, Soon);
        var value = await n3.Cluster.RequestAsync<CounterValue>("visits", "counter", new CounterGet(), Soon);
        Assert.Equal(30, value.Value);

        // A node stops: the others say so, and nothing is lost (B54).
        await n3.StopAsync();
        await InProcessCluster.SeesAsync(n1, "n3", MemberState.Unreachable);
        for (var i = 0; i < 20; i++)
        {
            var get = await n1.Kv.ExecuteAsync($"k{i}", new KvRequest { Get = new KvGet { Key = $"k{i}" } }, Soon);
            Assert.Null(get.Failure);
            Assert.Equal($"v{i}", get.Value.ToStringUtf8());
        }

        value = await n2.Grains.CallAsync<CounterValue>("counter", "visits", new CounterAdd { Amount = 1 }, Soon);
        Assert.Equal(31, value.Value);

        // It comes back with its data, as a newer incarnation of itself.
        var before = n3.Uid;
        cluster.Nodes[2] = await cluster.StartNodeAsync(2);
        await InProcessCluster.SeesAsync(n1, "n3", MemberState.Up);
        Assert.Equal(before, cluster.Nodes[2].Uid);
    }

    // Under its uid it would vote a second time and count for a majority that its old disk was part of.
    [Fact]
    public async Task A_member_whose_log_is_gone_does_not_start_again_under_its_uid()
    {
        await using var cluster = await InProcessCluster.StartAsync(1);
        await cluster.Nodes[0].StopAsync();
        foreach (var lost in new[] { "log", "snapshots", "forming" }) cluster.Lose(0, lost);

        var refused = await Assert.ThrowsAsync<FileDamagedException>(() => cluster.StartNodeAsync(0));
        Assert.Contains("empty the whole directory", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task G6_A_node_whose_disk_hangs_stops_all_the_same_and_keeps_its_directory_locked()
    {
        await using var cluster = await InProcessCluster.StartAsync(1);
        await cluster.Nodes[0].StopAsync();
        var disk = new HangingDisk();
        var node = await cluster.StartNodeAsync(0, files: disk);
        await node.Joined.WaitAsync(Soon);
        disk.Hang();
        try
        {
            var put = node.Kv.ExecuteAsync("k", new KvRequest { Put = new KvPut { Key = "k", Value = ByteString.Empty } }, Soon).AsTask();

            // On a thread of its own: what is tested is that the caller gets it back.
            await Task.Run(node.StopAsync).WaitAsync(Soon);
            Assert.NotNull((await put.WaitAsync(Soon)).Failure);
            await Assert.ThrowsAsync<FileLockedException>(() => cluster.StartNodeAsync(0));
        }
        finally
        {
            disk.Release();
        }
    }

    [Fact]
    public async Task The_admin_actor_answers_and_pushes_changes_to_a_subscriber()
    {
        await using var cluster = await InProcessCluster.StartAsync(3);
        var n1 = cluster.Nodes[0];
        var admin = PID.FromAddress(cluster.Nodes[1].System.Address, "admin");

        var members = await n1.System.Root.RequestAsync<Members>(admin, new GetMembers(), Soon);
        Assert.Equal(["n1", "n2", "n3"], members.Members_.Select(m => m.Name).Order());
        Assert.All(members.Members_, m => Assert.Equal(MemberState.Up, m.State));
        Assert.All(members.Members_, m => Assert.Equal(4u, m.Replicas));

        var groups = await n1.System.Root.RequestAsync<Protocol.Admin.Groups>(admin, new GetGroups(), Soon);
        Assert.Contains(groups.Groups_, g => g.Name == "coordinator");
        var partitions = await n1.System.Root.RequestAsync<Partitions>(admin, new GetPartitions(), Soon);
        Assert.Equal(4, partitions.Partitions_.Count);

        await n1.Grains.CallAsync<CounterValue>("counter", "x", new CounterGet(), Soon); // from now on its partition has a leader
        var where = await n1.System.Root.RequestAsync<WhereReply>(admin, new Where { Kind = "counter", Identity = "x" }, Soon);
        Assert.Null(where.Located.Failure);
        Assert.Equal(StableHash.Of("x"), where.Hash);

        var unreachable = new TaskCompletionSource<MembershipChanged>(TaskCreationOptions.RunContinuationsAsynchronously);
        var subscribed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        n1.System.Root.Spawn(Props.FromFunc(context =>
        {
            switch (context.Message)
            {
                case Started: context.Request(admin, new Subscribe()); break;
                case Subscribed: subscribed.TrySetResult(); break;
                case MembershipChanged { Current: MemberState.Unreachable } change: unreachable.TrySetResult(change); break;
            }

            return Task.CompletedTask;
        }));
        await subscribed.Task.WaitAsync(Soon);
        await cluster.Nodes[2].StopAsync();
        Assert.Equal("n3", (await unreachable.Task.WaitAsync(Soon)).Name);
    }

    /// <summary>A node whose partitions or grains have lost their host must not go on as if it served them.</summary>
    [Fact]
    public async Task A_node_fails_when_the_host_of_its_partitions_throws()
    {
        await using var cluster = await InProcessCluster.StartAsync(1);
        var node = cluster.Nodes[0];

        var broken = node.Membership.Current with { Partitions = new PartitionMap { Version = 99 } };
        node.System.Root.Send(PID.FromAddress(node.System.Address, "partitions"), broken);

        await Assert.ThrowsAsync<InvalidDataException>(() => node.Failed.WaitAsync(Soon));
    }
}
