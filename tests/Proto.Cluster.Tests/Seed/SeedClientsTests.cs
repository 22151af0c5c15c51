using System.Globalization;
using Proto.Cluster.Seed;

namespace Proto.Cluster.Tests.Seed;

public sealed class SeedClientsTests
{
    static readonly TimeSpan TimeToLive = TimeSpan.FromSeconds(15);

    [Fact]
    public void Clients_that_ask_no_more_leave_room_for_others_though_no_topology_changes()
    {
        var time = new ManualTime();
        var clients = new SeedClients(time, TimeToLive);
        for (var i = 0; i < SeedClients.MaxClients; i++) Assert.True(clients.TryAdd(i.ToString(CultureInfo.InvariantCulture)));
        time.Pass(TimeToLive);

        Assert.False(clients.TryAdd("one too many"));
        Assert.True(clients.TryAdd("7"));
        time.Pass(TimeSpan.FromTicks(1));

        Assert.True(clients.TryAdd("another"));
        Assert.Equal(["7", "another"], clients.Current());
    }
}
