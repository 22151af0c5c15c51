namespace Proto.Actor.Tests;

public sealed class StoppingAndWatchTests
{
    [Fact]
    public async Task The_parent_is_told_of_an_end_before_those_who_wait_for_it()
    {
        await using var system = TestSystem.Create();
        var probe = new Probe();
        Props OnCallersThread(Action<IContext> started, string told) => Props.FromFunc(context =>
        {
            if (context.Message is Started) started(context);
            if (context.Message is Terminated) probe.Add(told);
            return Task.CompletedTask;
        }).WithDispatcher(Mailbox.Dispatchers.SynchronousDispatcher);
        PID child = null!;
        system.Root.Spawn(OnCallersThread(context => child = context.Spawn(Props.FromFunc(_ => Task.CompletedTask)), "parent"));
        system.Root.Spawn(OnCallersThread(context => context.Watch(child), "watcher"));

        system.Root.Stop(child);

        Assert.Equal(["parent", "watcher"], await probe.Take(2));
    }

    [Fact]
    public async Task Stop_runs_the_lifecycle_children_first()
    {
        await using var system = TestSystem.Create();
        var probe = new Probe();
        var childProps = Props.FromFunc(context =>
        {
            probe.Add($"child {context.Message!.GetType().Name}");
            return Task.CompletedTask;
        });
        var pid = system.Root.Spawn(Props.FromFunc(context =>
        {
            if (context.Message is Started) context.Spawn(childProps);
            probe.Add($"parent {context.Message!.GetType().Name}");
            return Task.CompletedTask;
        }));
        await probe.Take(2); // both Started

        await Probe.Within(system.Root.StopAsync(pid));

        Assert.Equal(
            ["parent Stopping", "child Stopping", "child Stopped", "parent Terminated", "parent Stopped"],
            probe.Drain().Cast<string>());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Poison_lets_the_queue_finish_and_stop_sends_it_to_dead_letters(bool poison)
    {
        await using var system = TestSystem.Create();
        var deadLetters = new Probe();
        system.EventStream.Subscribe<DeadLetterEvent>(letter => deadLetters.Add(letter.Message));
        var entered = new TaskCompletionSource();
        var gate = new TaskCompletionSource();
        var handled = new List<int>();
        var pid = system.Root.Spawn(Props.FromFunc(async context =>
        {
            if (context.Message is not int number) return;

            entered.TrySetResult();
            await gate.Task;
            handled.Add(number);
        }));
        for (var i = 0; i < 3; i++) system.Root.Send(pid, i);
        await Probe.Within(entered.Task);
        var waiting = system.Root.RequestAsync<int>(pid, "in the queue");

        var ended = poison ? system.Root.PoisonAsync(pid) : system.Root.StopAsync(pid);
        gate.SetResult();
        await Probe.Within(ended);

        Assert.Equal(poison ? [0, 1, 2] : [0], handled);
        if (poison) return;

        Assert.Equal([1, 2, "in the queue"], await deadLetters.Take(3));
        await Assert.ThrowsAsync<DeadLetterException>(() => Probe.Within(waiting));
    }

    [Fact]
    public async Task A_watcher_is_told_once_and_an_unwatched_one_not()
    {
        await using var system = TestSystem.Create();
        var probe = new Probe();
        var watched = system.Root.Spawn(Props.FromFunc(_ => Task.CompletedTask));
        Props Watcher(bool unwatch) => Props.FromFunc(context =>
        {
            switch (context.Message)
            {
                case Started:
                    context.Watch(watched);
                    context.Watch(watched);
                    if (unwatch) context.Unwatch(watched);
                    break;
                case Terminated terminated:
                    probe.Add((context.Self, terminated.Who, terminated.Why));
                    break;
            }

            return Task.CompletedTask;
        });
        var watching = system.Root.Spawn(Watcher(false));
        var notWatching = system.Root.Spawn(Watcher(true));
        await Probe.Within(system.Root.RequestAsync<Touched>(watching, Touch.Instance));
        await Probe.Within(system.Root.RequestAsync<Touched>(notWatching, Touch.Instance));

        await Probe.Within(system.Root.StopAsync(watched));
        await Probe.Within(system.Root.RequestAsync<Touched>(notWatching, Touch.Instance));

        Assert.Equal((watching, watched, TerminatedReason.Stopped), await probe.Next());
        Assert.Empty(probe.Drain());
    }

    [Fact]
    public async Task Watching_what_does_not_exist_is_answered_at_once()
    {
        await using var system = TestSystem.Create();
        var probe = new Probe();
        var nobody = new PID(system.Address, "nobody");
        system.Root.Spawn(Props.FromFunc(context =>
        {
            if (context.Message is Started) context.Watch(nobody);
            if (context.Message is Terminated terminated) probe.Add(terminated);
            return Task.CompletedTask;
        }));

        Assert.Equal(new Terminated { Who = nobody, Why = TerminatedReason.NotFound }, await probe.Next());
    }

    [Fact]
    public async Task A_parent_that_watches_its_child_is_told_once()
    {
        await using var system = TestSystem.Create();
        var probe = new Probe();
        var parent = system.Root.Spawn(Props.FromFunc(context =>
        {
            switch (context.Message)
            {
                case Started:
                    var child = context.Spawn(Props.FromFunc(_ => Task.CompletedTask));
                    context.Watch(child);
                    context.Poison(child);
                    break;
                case Terminated:
                    probe.Add(context.Children.Count);
                    break;
            }

            return Task.CompletedTask;
        }));

        Assert.Equal(0, await probe.Next());
        await Probe.Within(system.Root.StopAsync(parent));
        Assert.Empty(probe.Drain());
    }

    [Fact]
    public async Task Stopping_what_does_not_exist_ends()
    {
        await using var system = TestSystem.Create();
        await Probe.Within(system.Root.StopAsync(new PID(system.Address, "nobody")));
        await Probe.Within(system.Root.PoisonAsync(new PID(system.Address, "nobody")));
    }

    [Fact]
    public async Task Shutdown_stops_all_actors_and_cancels_the_token()
    {
        var system = TestSystem.Create();
        var stopped = 0;
        var child = Props.FromFunc(context =>
        {
            if (context.Message is Stopped) Interlocked.Increment(ref stopped);
            return Task.CompletedTask;
        });
        for (var i = 0; i < 10; i++)
        {
            system.Root.Spawn(Props.FromFunc(context =>
            {
                if (context.Message is Started) context.Spawn(child);
                if (context.Message is Stopped) Interlocked.Increment(ref stopped);
                return Task.CompletedTask;
            }).WithGuardianSupervisorStrategy(Supervision.DefaultStrategy));
        }

        await Probe.Within(system.ShutdownAsync("enough"));

        Assert.Equal(20, stopped);
        Assert.True(system.Shutdown.IsCancellationRequested);
        Assert.Equal("enough", system.StoppedReason);
    }
}
