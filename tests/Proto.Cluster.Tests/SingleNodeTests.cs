using Proto.Cluster.SingleNode;
using Proto.Cluster.Tests.Messages;

namespace Proto.Cluster.Tests;

public sealed class SingleNodeTests
{
    [Fact]
    public async Task A_single_node_activates_everything_itself_and_ends_it_when_it_stops()
    {
        await using var fixture = new ClusterFixture();
        var node = await fixture.StartMemberAsync(lookup: new SingleNodeLookup(), provider: new SingleNodeProvider());
        for (var i = 1; i <= 3; i++)
        {
            var total = await node.RequestAsync<Total>("x", CounterActor.Kind, new Add { Amount = 1 }, ClusterFixture.Soon());
            Assert.Equal(i, total.Amount);
        }

        Assert.Equal(1, node.GetClusterKind(CounterActor.Kind).Count);
        await node.ShutdownAsync();
        Assert.Equal(0, node.GetClusterKind(CounterActor.Kind).Count);
    }
}
