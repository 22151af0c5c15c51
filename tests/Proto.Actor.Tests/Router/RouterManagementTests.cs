using Proto.Router;
using Proto.Router.Messages;

namespace Proto.Actor.Tests.Router;

public sealed class RouterManagementTests
{
    [Fact]
    public async Task A_senders_next_message_sees_the_routees_that_it_added_and_removed()
    {
        await using var system = TestSystem.Create();
        var routees = Routee.SpawnMany(system, 3);
        var router = system.Root.Spawn(system.Root.NewBroadcastGroup(routees[0]));

        system.Root.Send(router, 1);
        system.Root.Send(router, new RouterAddRoutee(routees[1]));
        system.Root.Send(router, new RouterAddRoutee(routees[1])); // twice is once
        system.Root.Send(router, 2);
        system.Root.Send(router, new RouterRemoveRoutee(routees[0]));
        system.Root.Send(router, new RouterRemoveRoutee(routees[2])); // was not there
        system.Root.Send(router, 3);

        Assert.Equal([1, 2], await Routee.Received(system, routees[0]));
        Assert.Equal([2, 3], await Routee.Received(system, routees[1]));
        Assert.Equal([routees[1]], await RouteesOf(system, router));
    }

    [Fact]
    public async Task A_broadcast_goes_to_all_routees_of_any_router_and_keeps_the_sender()
    {
        await using var system = TestSystem.Create();
        var replies = new Probe();
        var router = system.Root.Spawn(system.Root.NewRoundRobinPool(Props.FromProducer(() => new Routee()), 3));
        var asker = system.Root.Spawn(Props.FromFunc(context =>
        {
            if (context.Message is "ask") context.Request(router, new RouterBroadcastMessage("who"));
            if (context.Message is PID) replies.Add(context.Message);
            return Task.CompletedTask;
        }));

        system.Root.Send(asker, "ask");

        Assert.Equal(
            (await RouteesOf(system, router)).Select(pid => pid.Id).Order(StringComparer.Ordinal),
            (await replies.Take(3)).Cast<PID>().Select(pid => pid.Id).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_routee_that_ends_is_forgotten_and_without_any_messages_are_dead_letters()
    {
        await using var system = TestSystem.Create();
        var routees = Routee.SpawnMany(system, 2);
        var router = system.Root.Spawn(system.Root.NewRoundRobinGroup(routees));

        await Probe.Within(system.Root.StopAsync(routees[0]));
        await UntilRoutees(system, router, current => current.Count == 1);
        for (var i = 0; i < 4; i++) system.Root.Send(router, i);
        Assert.Equal([0, 1, 2, 3], await Routee.Received(system, routees[1]));

        await Probe.Within(system.Root.StopAsync(routees[1]));
        await UntilRoutees(system, router, current => current.Count == 0);
        await Assert.ThrowsAsync<DeadLetterException>(() => Probe.Within(system.Root.RequestAsync<PID>(router, "anybody?")));
    }

    [Fact]
    public async Task A_routee_that_was_gone_before_it_was_added_is_forgotten()
    {
        await using var system = TestSystem.Create();
        var router = system.Root.Spawn(system.Root.NewRoundRobinGroup(new PID(system.Address, "gone")));
        system.Root.Send(router, new RouterAddRoutee(new PID(system.Address, "gone too")));

        await UntilRoutees(system, router, current => current.Count == 0);
    }

    public static async Task<IReadOnlyList<PID>> RouteesOf(ActorSystem system, PID router) =>
        (await Probe.Within(system.Root.RequestAsync<Routees>(router, new RouterGetRoutees()))).Pids;

    /// <summary>Asks until it is so, and then until the router's actor, which notices ends of routees, has finished the turn in which it did.</summary>
    public static async Task<IReadOnlyList<PID>> UntilRoutees(ActorSystem system, PID router, Func<IReadOnlyList<PID>, bool> condition)
    {
        using var never = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (true)
        {
            never.Token.ThrowIfCancellationRequested();
            var current = await RouteesOf(system, router);
            await Probe.Within(system.Root.RequestAsync<Touched>(router, Touch.Instance));
            if (condition(current)) return current;
        }
    }
}
