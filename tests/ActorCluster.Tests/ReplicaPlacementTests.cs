using ActorCluster.Membership;
using ActorCluster.Protocol.Keyspace;
using ActorCluster.Protocol.Membership;
using Google.Protobuf;

namespace ActorCluster.Tests;

/// <summary>The replicas of partitions follow the members: whole nodes, joint consensus in every group, nothing acknowledged lost.</summary>
public class ReplicaPlacementTests
{
    const int Keys = 40;

    static CancellationToken Soon => new CancellationTokenSource(TimeSpan.FromSeconds(60)).Token;

    [Fact]
    public async Task A_node_that_joins_gets_replicas_and_serves_what_was_written_before()
    {
        await using var cluster = await InProcessCluster.StartAsync(2, configure: Quick);
        await WriteAsync(cluster.Nodes[0]);
        cluster.Nodes.Add(await cluster.StartNodeAsync(2));
        await cluster.Nodes[2].Joined.WaitAsync(Soon);
        await InProcessCluster.KnowsAsync(cluster.Nodes[0], members => Settled(members) && Loads(members) is [4, 4, 4]);

        // Two of two were needed; now any one may fall, also one that the data came from.
        await cluster.Nodes[0].StopAsync();
        await ReadAsync(cluster.Nodes[1]);
        await ReadAsync(cluster.Nodes[2]);
    }

    [Fact]
    public async Task A_node_that_is_lost_for_good_is_replaced_by_a_spare_one()
    {
        await using var cluster = await InProcessCluster.StartAsync(3, configure: Quick);
        await WriteAsync(cluster.Nodes[0]);
        cluster.Nodes.Add(await cluster.StartNodeAsync(3));
        await cluster.Nodes[3].Joined.WaitAsync(Soon);
        await InProcessCluster.KnowsAsync(cluster.Nodes[0], members => Settled(members) && Loads(members) is [3, 3, 3, 3]);

        await cluster.Nodes[1].StopAsync();
        await InProcessCluster.SeesAsync(cluster.Nodes[0], "n2", MemberState.Removed);
        await InProcessCluster.KnowsAsync(cluster.Nodes[0], members => Settled(members) && Loads(members) is [4, 4, 4]);

        // All three of a partition's replicas are alive again: one more may fall.
        await cluster.Nodes[2].StopAsync();
        await ReadAsync(cluster.Nodes[0]);
        await ReadAsync(cluster.Nodes[3]);
    }

    static void Quick(ActorClusterOptions options)
    {
        options.PlacementInterval = TimeSpan.FromMilliseconds(50);
        options.GracePeriod = TimeSpan.FromSeconds(1);
    }

    static bool Settled(MembershipSnapshot members) => members.Partitions!.Partitions.All(p => p.Holders.Count == 0);

    /// <summary>How many replicas each standing member is to have, in the order of the names.</summary>
    static int[] Loads(MembershipSnapshot members) =>
    [
        .. members.Members.Values.Where(m => m.CommittedState == MemberState.Up).OrderBy(m => m.Name, StringComparer.Ordinal)
            .Select(m => members.Partitions!.Partitions.Count(p => p.Replicas.Contains(m.Uid.Value))),
    ];

    static async Task WriteAsync(ClusterNode node)
    {
        for (var i = 0; i < Keys; i++)
        {
            var put = await node.Kv.ExecuteAsync($"k{i}", new KvRequest { Put = new KvPut { Key = $"k{i}", Value = ByteString.CopyFromUtf8($"v{i}") } }, Soon);
            Assert.Null(put.Failure);
        }
    }

    static async Task ReadAsync(ClusterNode node)
    {
        for (var i = 0; i < Keys; i++)
        {
            var get = await node.Kv.ExecuteAsync($"k{i}", new KvRequest { Get = new KvGet { Key = $"k{i}" } }, Soon);
            Assert.Null(get.Failure);
            Assert.Equal($"v{i}", get.Value.ToStringUtf8());
        }
    }
}
