using Proto.Diagnostics;

namespace Proto.Actor.Tests;

public sealed class DiagnosticsTests
{
    [Fact]
    public async Task An_actor_shows_its_type_family_queue_and_own_description()
    {
        await using var system = TestSystem.Create();
        var pid = system.Root.SpawnNamed(Props.FromProducer(() => new Described()), "described");
        await Probe.Within(system.Root.RequestAsync<Touched>(pid, Touch.Instance));

        var lines = (await Probe.Within(DiagnosticTools.GetDiagnosticsString(system, pid))).Split(Environment.NewLine);

        Assert.Equal(
            [
                "PID: nonhost/described",
                $"Actor: {typeof(Described).FullName}",
                "State: Alive",
                "Mailbox: 0",
                "Children: 1 (nonhost/described/child)",
                "seen 1",
            ],
            lines);
    }

    [Fact]
    public async Task Other_actors_are_shown_by_the_systems_serializer()
    {
        await using var system = TestSystem.Create(config => config.WithDiagnosticsSerializer(actor => $"a {actor.GetType().Name}"));
        var pid = system.Root.Spawn(Props.FromProducer(() => new Plain()));

        Assert.EndsWith("a Plain", await Probe.Within(DiagnosticTools.GetDiagnosticsString(system, pid)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_description_that_fails_is_the_askers_problem_and_not_the_actors()
    {
        await using var system = TestSystem.Create(config => config.WithDiagnosticsSerializer(_ => throw new FormatException("broken")));
        var probe = new Probe();
        var pid = system.Root.Spawn(Props.FromProducer(() => new Plain(probe)));

        await Assert.ThrowsAsync<FormatException>(() => Probe.Within(DiagnosticTools.GetDiagnosticsString(system, pid)));

        await Probe.Within(system.Root.RequestAsync<Touched>(pid, Touch.Instance));
        Assert.Equal([typeof(Started)], probe.Drain().Cast<Type>());
    }

    [Fact]
    public async Task A_busy_actor_does_not_answer_in_time_and_one_that_is_gone_says_so()
    {
        var time = new ManualTime();
        await using var system = TestSystem.Create(config => config.WithTimeProvider(time));
        var entered = new TaskCompletionSource();
        var gate = new TaskCompletionSource();
        var pid = system.Root.Spawn(Props.FromFunc(async context =>
        {
            if (context.Message is not string) return;
            entered.SetResult();
            await gate.Task;
        }));
        system.Root.Send(pid, "wait");
        await Probe.Within(entered.Task);

        var asked = DiagnosticTools.GetDiagnosticsString(system, pid);
        time.Advance(TimeSpan.FromSeconds(5));
        await Assert.ThrowsAsync<TimeoutException>(() => Probe.Within(asked));

        gate.SetResult();
        await Probe.Within(system.Root.StopAsync(pid));
        await Assert.ThrowsAsync<DeadLetterException>(() => Probe.Within(DiagnosticTools.GetDiagnosticsString(system, pid)));
        await Assert.ThrowsAsync<ArgumentException>(() => DiagnosticTools.GetDiagnosticsString(system, new PID("elsewhere:1", "a")));
    }

    [Fact]
    public async Task Processes_are_found_by_a_part_of_their_name()
    {
        await using var system = TestSystem.Create();
        var props = Props.FromFunc(_ => Task.CompletedTask);
        foreach (var name in (string[])["order-2", "Order-1", "invoice"]) system.Root.SpawnNamed(props, name);

        Assert.Equal(["Order-1", "order-2"], system.ProcessRegistry.SearchByName("order").Select(pid => pid.Id));
    }

    [Fact]
    public async Task The_store_keeps_the_latest_events_and_the_current_objects()
    {
        await using var system = TestSystem.Create();
        for (var i = 0; i <= DiagnosticsStore.MaxEvents; i++) system.Diagnostics.RegisterEvent("module", $"event {i}");
        system.Diagnostics.RegisterObject("module", "key", "old");
        system.Diagnostics.RegisterObject("module", "key", () => "new");

        var entries = system.Diagnostics.Get();

        Assert.Equal(DiagnosticsStore.MaxEvents + 1, entries.Length);
        Assert.Equal("event 1", entries[0].Message);
        Assert.Equal(("key", "new"), (entries[^1].Message, entries[^1].Data));
    }

    private sealed class Described : IActor, IActorDiagnostics
    {
        private int _seen;

        public Task ReceiveAsync(IContext context)
        {
            _seen++;
            if (context.Message is Started) context.SpawnNamed(Props.FromFunc(_ => Task.CompletedTask), "child");
            return Task.CompletedTask;
        }

        public string GetDiagnosticsString() => $"seen {_seen}";
    }

    private sealed class Plain(Probe? probe = null) : IActor
    {
        public Task ReceiveAsync(IContext context)
        {
            probe?.Add(context.Message!.GetType());
            return Task.CompletedTask;
        }
    }
}
