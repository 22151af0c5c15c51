namespace Proto.Actor.Tests;

public sealed class ShutdownTests
{
    [Fact]
    public async Task An_extension_that_blocks_its_thread_does_not_keep_the_system_from_ending()
    {
        var time = new ManualTime();
        var system = TestSystem.Create(config => config.WithTimeProvider(time));
        using var released = new ManualResetEventSlim();
        system.Extensions.Register(new Blocking(released));

        var shutdown = Task.Run(() => system.ShutdownAsync());
        await time.FireNext(); // the extension's time is over
        await Probe.Within(shutdown);

        released.Set();
    }

    [Fact]
    public async Task Extensions_leave_in_reverse_order_before_the_actors_stop_and_end_after_them()
    {
        var system = TestSystem.Create();
        var probe = new Probe();
        system.Extensions.Register(new First(probe));
        system.Extensions.Register(new Second(probe));
        system.Root.Spawn(Props.FromFunc(context =>
        {
            if (context.Message is Stopped) probe.Add("actor stopped");
            return Task.CompletedTask;
        }));
        system.Shutdown.Register(() => probe.Add("token cancelled"));

        await Probe.Within(system.ShutdownAsync("done"));

        Assert.Equal(
            ["second leaves: done", "first leaves: done", "token cancelled", "actor stopped", "second ends: done", "first ends: done"],
            probe.Drain().Cast<string>());
    }

    [Fact]
    public async Task Shutting_down_again_waits_for_the_first_time_and_stops_nothing_twice()
    {
        var system = TestSystem.Create();
        var probe = new Probe();
        var goodbye = new TaskCompletionSource();
        system.Extensions.Register(new First(probe, goodbye.Task));

        var first = system.ShutdownAsync("first");
        var second = system.ShutdownAsync("second");
        Assert.False(second.IsCompleted);
        goodbye.SetResult();
        await Probe.Within(Task.WhenAll(first, second));

        Assert.Equal(["first leaves: first", "first ends: first"], probe.Drain().Cast<string>());
        Assert.Equal("first", system.StoppedReason);
    }

    [Fact]
    public async Task An_extension_that_hangs_or_throws_does_not_keep_the_system_from_ending()
    {
        var time = new ManualTime();
        var system = TestSystem.Create(config => config.WithTimeProvider(time));
        var probe = new Probe();
        system.Extensions.Register(new First(probe, new TaskCompletionSource().Task));
        system.Extensions.Register(new Second(probe, Task.FromException(new InvalidOperationException("cannot leave"))));
        var pid = system.Root.Spawn(Props.FromFunc(_ => Task.CompletedTask));

        var shutdown = system.ShutdownAsync();
        Assert.Equal(["second leaves: ", "first leaves: "], await probe.Take(2));
        await time.FireNext(); // the first extension's time is over
        await Probe.Within(shutdown);

        Assert.Equal(["second ends: ", "first ends: "], probe.Drain().Cast<string>());
        Assert.Empty(system.ProcessRegistry.Find(id => id == pid.Id));
    }

    [Fact]
    public async Task An_extension_that_shuts_its_system_down_in_its_own_step_does_not_wait_for_itself()
    {
        var system = TestSystem.Create();
        system.Extensions.Register(new Recursive(system));

        await Probe.Within(system.DisposeAsync().AsTask());

        Assert.True(system.Shutdown.IsCancellationRequested);
    }

    [Fact]
    public async Task An_actor_whose_dispatcher_takes_no_more_does_not_keep_the_others_from_stopping()
    {
        var time = new ManualTime();
        var system = TestSystem.Create(config => config.WithTimeProvider(time));
        var closed = new ClosableDispatcher();
        var stopped = new TaskCompletionSource();
        var unreachable = system.Root.SpawnNamed(Props.FromFunc(_ => Task.CompletedTask).WithDispatcher(closed), "a");
        await Probe.Within(closed.Ran);
        system.Root.SpawnNamed(Props.FromFunc(context =>
        {
            if (context.Message is Stopped) stopped.SetResult();
            return Task.CompletedTask;
        }), "b");
        closed.Closed = true;

        var shutdown = system.ShutdownAsync();
        await Probe.Within(stopped.Task);
        await time.FireNext(); // the time for actors to stop
        await Probe.Within(shutdown);

        Assert.Equal([unreachable], system.ProcessRegistry.Find(id => id is "a" or "b"));
    }

    private sealed class ClosableDispatcher : Mailbox.IDispatcher
    {
        private readonly TaskCompletionSource _ran = new();

        public bool Closed { get; set; }

        public int Throughput => 10;

        public Task Ran => _ran.Task;

        public void Schedule(Func<Task> runner)
        {
            if (Closed) throw new ObjectDisposedException(nameof(ClosableDispatcher));

            _ = runner();
            _ran.TrySetResult();
        }
    }

    private abstract class Recording(string name, Probe probe, Task? goodbye) : IActorSystemLifecycle
    {
        public Task BeforeActorsStopAsync(string reason)
        {
            probe.Add($"{name} leaves: {reason}");
            return goodbye ?? Task.CompletedTask;
        }

        public Task AfterActorsStoppedAsync(string reason)
        {
            probe.Add($"{name} ends: {reason}");
            return Task.CompletedTask;
        }
    }

    private sealed class First(Probe probe, Task? goodbye = null) : Recording("first", probe, goodbye), IActorSystemExtension<First>;

    private sealed class Second(Probe probe, Task? goodbye = null) : Recording("second", probe, goodbye), IActorSystemExtension<Second>;

    private sealed class Recursive(ActorSystem system) : IActorSystemExtension<Recursive>, IActorSystemLifecycle
    {
        public async Task BeforeActorsStopAsync(string reason)
        {
            await Task.Yield();
            await system.ShutdownAsync("again");
            await system.DisposeAsync();
        }
    }

    private sealed class Blocking(ManualResetEventSlim released) : IActorSystemExtension<Blocking>, IActorSystemLifecycle
    {
        public Task BeforeActorsStopAsync(string reason)
        {
            released.Wait();
            return Task.CompletedTask;
        }
    }
}
