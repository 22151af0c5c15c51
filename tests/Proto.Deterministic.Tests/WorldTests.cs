using Proto.Deterministic.Tests.Messages;

namespace Proto.Deterministic.Tests;

public class WorldTests
{
    [Fact]
    public void Everything_runs_on_the_worlds_thread_and_combinators_of_requests_come_back_to_it()
    {
        using var world = new DeterministicWorld(1);
        var system = world.CreateSystem("a");
        var thread = Environment.CurrentManagedThreadId;
        Pong[] answers = [];

        world.Run(async () =>
        {
            var ponger = system.Root.Spawn(Props.FromFunc(async context =>
            {
                if (context.Message is not Ping ping) return;
                await Task.Yield();
                await Task.Delay(TimeSpan.FromSeconds(1), context.System.Config.TimeProvider);
                Assert.Equal(thread, Environment.CurrentManagedThreadId);
                context.Respond(new Pong { Number = ping.Number });
            }));
            answers = await Task.WhenAll(Enumerable.Range(0, 3).Select(number => system.Root.RequestAsync<Pong>(ponger, new Ping { Number = number })));
            Assert.Equal(thread, Environment.CurrentManagedThreadId);
        });

        Assert.Equal([0, 1, 2], answers.Select(answer => answer.Number));
        Assert.Equal(TimeSpan.FromSeconds(3), world.Now);
    }

    [Fact]
    public void Work_on_another_thread_ends_the_run()
    {
        using var escaped = new ManualResetEventSlim();
        using var awaited = new ManualResetEventSlim();
        var waits = false;
        var world = new DeterministicWorld(1);
        var system = world.CreateSystem("a");

        var failure = Assert.Throws<DeterministicFailureException>(() => world.Run(async () =>
        {
            system.Root.Spawn(Props.FromFunc(async context =>
            {
                if (context.Message is not Started) return;
                // What the rule is about: it resumes on the pool, and comes back from there.
                waits = true;
                await Task.Run(awaited.Wait);
                escaped.Set();
            }));
            while (!waits) await Task.Yield();
            awaited.Set();
            Assert.True(SpinUntilEscaped(world));
            await Task.Yield();
        }));

        Assert.Contains("another thread", failure.Message, StringComparison.Ordinal);
        Assert.False(escaped.IsSet);
    }

    [Fact]
    public void An_actor_describes_itself_without_leaving_the_worlds_thread()
    {
        using var world = new DeterministicWorld(1);
        var system = world.CreateSystem("a");
        var text = "";

        world.Run(async () => text = await Diagnostics.DiagnosticTools.GetDiagnosticsString(system, system.Root.Spawn(Props.FromFunc(_ => Task.CompletedTask))));

        Assert.Contains("State: Alive", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Another_thread_cannot_use_the_world()
    {
        var world = new DeterministicWorld(1);
        Exception? refused = null;
        var other = new Thread(() => refused = Record.Exception(() => world.RunFor(TimeSpan.FromSeconds(1))));

        other.Start();
        other.Join();

        Assert.Contains("the world was run", Assert.IsType<InvalidOperationException>(refused).Message, StringComparison.Ordinal);
        Assert.Throws<DeterministicFailureException>(world.Dispose);
    }

    [Fact]
    public void Time_passes_only_when_nothing_can_run_and_jumps_to_the_next_timer()
    {
        using var world = new DeterministicWorld(1);
        var fired = new List<(string Name, TimeSpan At)>();

        world.Run(async () =>
        {
            await using var late = world.Time.CreateTimer(_ => fired.Add(("late", world.Now)), null, TimeSpan.FromHours(2), Timeout.InfiniteTimeSpan);
            await using var early = world.Time.CreateTimer(_ => fired.Add(("early", world.Now)), null, TimeSpan.FromHours(1), Timeout.InfiniteTimeSpan);
            await using var never = world.Time.CreateTimer(_ => fired.Add(("never", world.Now)), null, TimeSpan.FromHours(1), Timeout.InfiniteTimeSpan);
            never.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            for (var turn = 0; turn < 100; turn++) await Task.Yield();
            Assert.Equal(TimeSpan.Zero, world.Now);
            await Task.Delay(TimeSpan.FromHours(3), world.Time);
        }, TimeSpan.FromHours(4));

        Assert.Equal([("early", TimeSpan.FromHours(1)), ("late", TimeSpan.FromHours(2))], fired);
        Assert.Empty(world.Leftovers());
    }

    [Fact]
    public void A_timer_that_repeats_does_so_until_it_is_disposed()
    {
        using var world = new DeterministicWorld(1);
        var times = 0;
        var timer = world.Time.CreateTimer(_ => times++, null, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2));

        world.RunFor(TimeSpan.FromSeconds(6));
        Assert.Single(world.Leftovers());
        timer.Dispose();
        world.RunFor(TimeSpan.FromSeconds(6));

        Assert.Equal(3, times);
        Assert.Empty(world.Leftovers());
    }

    [Fact]
    public void A_scenario_that_nothing_can_complete_is_told_at_once()
    {
        using var world = new DeterministicWorld(1);

        var failure = Assert.Throws<DeterministicFailureException>(() => world.Run(() => new TaskCompletionSource().Task));

        Assert.Contains("nothing is left to run", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_scenario_that_fails_or_is_cancelled_says_why()
    {
        using var world = new DeterministicWorld(1);

        var failed = Assert.Throws<DeterministicFailureException>(() => world.Run(() => throw new InvalidOperationException("broken")));
        var cancelled = Assert.Throws<DeterministicFailureException>(() => world.Run(async () =>
        {
            await Task.Yield();
            throw new OperationCanceledException("shut down: nothing was sent");
        }));

        Assert.Contains("broken", failed.Message, StringComparison.Ordinal);
        Assert.Contains("shut down: nothing was sent", cancelled.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_loop_that_takes_no_time_is_found()
    {
        using var world = new DeterministicWorld(1) { MaxStepsWithoutTime = 1000 };

        var failure = Assert.Throws<DeterministicFailureException>(() => world.Run(async () =>
        {
            while (true) await Task.Yield();
        }));

        Assert.Contains("endless loop", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_scenario_that_takes_too_long_is_ended()
    {
        using var world = new DeterministicWorld(1);

        var failure = Assert.Throws<DeterministicFailureException>(
            () => world.Run(() => Task.Delay(TimeSpan.FromSeconds(2), world.Time), TimeSpan.FromSeconds(1)));

        Assert.Contains("did not complete within 00:00:01", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_of_a_killed_system_runs_any_more()
    {
        using var world = new DeterministicWorld(1);
        var system = world.CreateSystem("a");
        var seconds = 0;
        _ = world.Start(system, async () =>
        {
            while (true)
            {
                await Task.Delay(TimeSpan.FromSeconds(1), system.Config.TimeProvider);
                seconds++;
            }
        });

        world.RunFor(TimeSpan.FromSeconds(3.5));
        world.Kill(system);
        world.RunFor(TimeSpan.FromSeconds(3.5));

        Assert.Equal(3, seconds);
        Assert.Empty(world.Leftovers());
    }

    [Fact]
    public void Ids_and_random_numbers_are_the_seeds_and_differ_between_systems()
    {
        string[] Ids(ulong seed)
        {
            using var world = new DeterministicWorld(seed);
            return [world.CreateSystem("a").Id, world.CreateSystem("b").Id];
        }

        Assert.Equal(Ids(1), Ids(1));
        Assert.Equal(4, Ids(1).Concat(Ids(2)).Distinct().Count());
    }

    /// <summary>Gives the pool's thread, which is not the world's, the time to come back.</summary>
    static bool SpinUntilEscaped(DeterministicWorld world) => SpinWait.SpinUntil(() => world.HasEscaped, TimeSpan.FromSeconds(30));
}
