using Proto.Router;
using Proto.Router.Messages;

namespace Proto.Actor.Tests.Router;

public sealed class PoolTests
{
    [Fact]
    public async Task A_stopping_pool_replaces_no_routee()
    {
        var time = new ManualTime();
        await using var system = TestSystem.Create(config => config.WithTimeProvider(time));
        var router = system.Root.Spawn(system.Root.NewRoundRobinPool(Props.FromProducer(() => new Routee()), 2));

        await Probe.Within(system.Root.StopAsync(router));

        Assert.Equal(0, time.TimerCount);
    }

    [Fact]
    public async Task Its_first_message_finds_the_routees_which_are_its_children()
    {
        await using var system = TestSystem.Create();
        var router = system.Root.SpawnNamed(system.Root.NewRoundRobinPool(Props.FromProducer(() => new Routee()), 2), "pool");

        var routee = await Probe.Within(system.Root.RequestAsync<PID>(router, "who"));

        Assert.StartsWith("pool/", routee.Id, StringComparison.Ordinal);
        Assert.Equal(2, (await RouterManagementTests.RouteesOf(system, router)).Count);
    }

    [Fact]
    public async Task A_routee_that_ends_is_replaced_after_a_pause_that_grows_while_they_keep_ending()
    {
        var time = new ManualTime();
        await using var system = TestSystem.Create(config => config.WithTimeProvider(time));
        var router = system.Root.Spawn(system.Root.NewRoundRobinPool(Props.FromProducer(() => new Routee()), 1));

        foreach (var pause in (int[])[10, 20, 40])
        {
            var (lost, before) = (await Lose(), time.GetUtcNow());
            await time.FireNext();
            var replaced = await RouterManagementTests.UntilRoutees(system, router, current => current.Count == 1);
            Assert.NotEqual(lost, replaced[0]);
            Assert.Equal(TimeSpan.FromMilliseconds(pause), time.GetUtcNow() - before);
        }

        // After a quiet time the pauses start anew.
        time.Advance(TimeSpan.FromSeconds(11));
        await Lose();
        var start = time.GetUtcNow();
        await time.FireNext();
        Assert.Equal(TimeSpan.FromMilliseconds(10), time.GetUtcNow() - start);

        async Task<PID> Lose()
        {
            var routee = (await RouterManagementTests.RouteesOf(system, router))[0];
            await Probe.Within(system.Root.StopAsync(routee));
            await RouterManagementTests.UntilRoutees(system, router, current => current.Count == 0);
            return routee;
        }
    }

    [Fact]
    public async Task A_routee_that_was_removed_goes_on_and_is_not_replaced()
    {
        var time = new ManualTime();
        await using var system = TestSystem.Create(config => config.WithTimeProvider(time));
        var router = system.Root.Spawn(system.Root.NewRoundRobinPool(Props.FromProducer(() => new Routee()), 2));
        var routees = await RouterManagementTests.RouteesOf(system, router);

        system.Root.Send(router, new RouterRemoveRoutee(routees[0]));
        Assert.Equal(routees[0], (await Probe.Within(system.Root.RequestAsync<Touched>(routees[0], Touch.Instance))).Who);
        await Probe.Within(system.Root.StopAsync(routees[0]));
        await Probe.Within(system.Root.StopAsync(routees[1]));
        await RouterManagementTests.UntilRoutees(system, router, current => current.Count == 0);
        await time.FireNext();
        var current = await RouterManagementTests.UntilRoutees(system, router, current => current.Count > 0);
        await Probe.Within(system.Root.RequestAsync<Touched>(router, Touch.Instance));

        Assert.Single(current);
        Assert.Single(await RouterManagementTests.RouteesOf(system, router));
    }

    [Fact]
    public async Task Poison_lets_the_routees_finish_what_was_routed_before()
    {
        await using var system = TestSystem.Create();
        var gate = new TaskCompletionSource();
        var handled = new Probe();
        var router = system.Root.Spawn(system.Root.NewRoundRobinPool(Props.FromFunc(async context =>
        {
            if (context.Message is not int number) return;
            await gate.Task;
            handled.Add(number);
        }), 2));

        for (var i = 0; i < 6; i++) system.Root.Send(router, i);
        var poisoned = system.Root.PoisonAsync(router);
        gate.SetResult();
        await Probe.Within(poisoned);

        Assert.Equal(Enumerable.Range(0, 6), handled.Drain().Cast<int>().Order());
        Assert.Empty(system.ProcessRegistry.Find(id => id.StartsWith(router.Id, StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Stop_stops_the_routees_too()
    {
        await using var system = TestSystem.Create();
        var router = system.Root.Spawn(system.Root.NewBroadcastPool(Props.FromProducer(() => new Routee()), 3));
        var before = await RouterManagementTests.RouteesOf(system, router);

        await Probe.Within(system.Root.StopAsync(router));

        foreach (var routee in before) Assert.Empty(system.ProcessRegistry.Find(id => id == routee.Id));
    }

    [Fact]
    public async Task Props_of_a_router_can_be_spawned_many_times_each_with_routees_of_its_own()
    {
        await using var system = TestSystem.Create();
        var props = system.Root.NewRoundRobinPool(Props.FromProducer(() => new Routee()), 2);

        var first = await RouterManagementTests.RouteesOf(system, system.Root.Spawn(props));
        var second = await RouterManagementTests.RouteesOf(system, system.Root.Spawn(props));

        Assert.Equal(4, first.Concat(second).Distinct().Count());
    }

    [Fact]
    public async Task A_failing_routee_is_restarted_by_its_supervisor_and_keeps_its_place()
    {
        await using var system = TestSystem.Create();
        var router = system.Root.Spawn(system.Root.NewRoundRobinPool(
            Props.FromFunc(context =>
            {
                if (context.Message is "fail") throw new InvalidOperationException("asked to fail");
                if (context.Message is "who") context.Respond(context.Self);
                return Task.CompletedTask;
            }),
            1));
        var before = await Probe.Within(system.Root.RequestAsync<PID>(router, "who"));

        system.Root.Send(router, "fail");

        Assert.Equal(before, await Probe.Within(system.Root.RequestAsync<PID>(router, "who")));
    }
}
