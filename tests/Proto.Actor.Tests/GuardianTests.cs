namespace Proto.Actor.Tests;

public sealed class GuardianTests
{
    [Fact]
    public async Task Actors_of_one_strategy_are_siblings_until_they_end()
    {
        await using var system = TestSystem.Create();
        var strategy = new Recording(new AllForOneStrategy((_, _) => SupervisorDirective.Restart, 10, null));
        var props = Props.FromFunc(context => context.Message is "fail" ? throw new InvalidOperationException("asked to fail") : Task.CompletedTask)
            .WithGuardianSupervisorStrategy(strategy);
        var pids = Enumerable.Range(0, 3).Select(i => system.Root.SpawnNamed(props, $"sibling{i}")).ToList();
        // Others have another guardian, or none.
        system.Root.Spawn(props.WithGuardianSupervisorStrategy(Supervision.AlwaysRestartStrategy));
        system.Root.Spawn(Props.FromFunc(_ => Task.CompletedTask));

        system.Root.Send(pids[0], "fail");
        Assert.Equal(pids, await strategy.Siblings.Next<List<PID>>());

        await Probe.Within(system.Root.StopAsync(pids[1]));
        system.Root.Send(pids[0], "fail");
        Assert.Equal([pids[0], pids[2]], await strategy.Siblings.Next<List<PID>>());
    }

    [Fact]
    public async Task An_actor_whose_initialization_failed_is_nobodys_sibling_and_leaves_no_children()
    {
        await using var system = TestSystem.Create();
        var strategy = new Recording(Supervision.DefaultStrategy);
        var props = Props.FromFunc(context => context.Message is "fail" ? throw new InvalidOperationException("asked to fail") : Task.CompletedTask)
            .WithGuardianSupervisorStrategy(strategy);
        PID? child = null;

        Assert.Throws<FormatException>(() => system.Root.SpawnNamed(props, "broken", context =>
        {
            child = context.Spawn(Props.FromFunc(_ => Task.CompletedTask));
            throw new FormatException("callback");
        }));
        var pid = system.Root.SpawnNamed(props, "good");
        system.Root.Send(pid, "fail");

        Assert.Equal([pid], await strategy.Siblings.Next<List<PID>>());
        Assert.Empty(system.ProcessRegistry.Find(id => id == "broken"));
        await Assert.ThrowsAsync<DeadLetterException>(() => Probe.Within(Ended(system, child!)));
    }

    [Fact]
    public async Task Escalation_to_a_guardian_stops_its_actors()
    {
        await using var system = TestSystem.Create();
        var strategy = new OneForOneStrategy((_, _) => SupervisorDirective.Escalate, 0, null);
        var props = Props.FromFunc(context => context.Message is "fail" ? throw new InvalidOperationException("asked to fail") : Task.CompletedTask)
            .WithGuardianSupervisorStrategy(strategy);
        var (first, second) = (system.Root.Spawn(props), system.Root.Spawn(props));

        system.Root.Send(first, "fail");

        await Assert.ThrowsAsync<DeadLetterException>(() => Probe.Within(Ended(system, first)));
        await Assert.ThrowsAsync<DeadLetterException>(() => Probe.Within(Ended(system, second)));
    }

    /// <summary>Asks until the actor is gone.</summary>
    private static async Task Ended(ActorSystem system, PID pid)
    {
        while (true) await system.Root.RequestAsync<Touched>(pid, Touch.Instance);
    }

    private sealed class Recording(ISupervisorStrategy inner) : ISupervisorStrategy
    {
        public Probe Siblings { get; } = new();

        public void HandleFailure(ISupervisor supervisor, PID child, RestartStatistics rs, Exception cause, object? message)
        {
            Siblings.Add(supervisor.Children.OrderBy(pid => pid.Id, StringComparer.Ordinal).ToList());
            inner.HandleFailure(supervisor, child, rs, cause, message);
        }
    }
}
