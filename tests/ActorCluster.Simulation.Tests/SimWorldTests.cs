namespace ActorCluster.Simulation.Tests;

public sealed class SimWorldTests
{
    [Fact]
    public void Time_orders_actions_and_the_seed_orders_ties()
    {
        var orders = new HashSet<string>();
        for (var seed = 0UL; seed < 50; seed++)
        {
            var order = Order(seed);
            Assert.Equal(order, Order(seed));
            Assert.StartsWith("z", order, StringComparison.Ordinal);
            orders.Add(order);
        }

        Assert.Equal(6, orders.Count);
    }

    [Fact]
    public void Generators_of_different_concerns_do_not_disturb_each_other()
    {
        var world = new SimWorld(7);
        var alone = world.RandomFor("b").NextUInt64();
        world.RandomFor("a").NextUInt64();
        Assert.Equal(alone, world.RandomFor("b").NextUInt64());
        Assert.NotEqual(alone, world.RandomFor("a").NextUInt64());
    }

    [Fact]
    public void A_partition_drops_what_crosses_it_and_mends()
    {
        var world = new SimWorld(7);
        var network = new SimNetwork(world, 3, NetworkFaults.None);
        var arrived = new List<string>();
        network.Partition([0], 3);
        Send(0, 1);
        Send(1, 0);
        Send(1, 2);
        while (world.Step())
        {
        }

        Assert.Equal(["1-2"], arrived);
        network.Mend();
        network.Cut(0, 1);
        Send(0, 1);
        Send(1, 0);
        while (world.Step())
        {
        }

        Assert.Equal(["1-2", "1-0"], arrived);

        void Send(int from, int to) => network.Send(from, to, () => arrived.Add($"{from}-{to}"));
    }

    static string Order(ulong seed)
    {
        var world = new SimWorld(seed);
        var order = "";
        foreach (var name in "abc") world.After(5, () => order += name);
        world.After(4, () => order += "z");
        while (world.Step())
        {
        }

        return order;
    }
}
