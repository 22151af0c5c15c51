using Proto.Diagnostics;

namespace Proto.Actor.Tests;

public sealed class SupervisionTests
{
    [Fact]
    public async Task An_instance_that_failed_to_start_gets_no_message_before_its_supervisor_decides_though_it_was_restarted_twice()
    {
        await using var system = TestSystem.Create();
        var probe = new Probe();
        var instances = 0;
        var supervisor = new RestartsTwiceThenHesitates();
        var child = Props.FromProducer(() =>
        {
            var instance = Interlocked.Increment(ref instances);
            return new Handler(async message =>
            {
                if (message is Started && instance == 2) await supervisor.Restarted;
                if (message is Started && instance == 3) throw new InvalidOperationException("cannot start");
                if (message is "fail") throw new InvalidOperationException("fails");
                if (message is "work") probe.Add($"work in instance {instance}");
            });
        });
        var pid = new TaskCompletionSource<PID>();
        system.Root.Spawn(Props.FromFunc(context =>
        {
            if (context.Message is Started) pid.SetResult(context.Spawn(child));
            return Task.CompletedTask;
        }).WithChildSupervisorStrategy(supervisor));
        var self = await Probe.Within(pid.Task);

        system.Root.Send(self, "fail");
        system.Root.Send(self, "work");
        await Probe.Within(supervisor.Asked);

        Assert.Contains("waits for its supervisor", await Probe.Within(DiagnosticTools.GetDiagnosticsString(system, self)), StringComparison.Ordinal);
        Assert.Empty(probe.Drain());
    }

    [Fact]
    public async Task By_default_a_failed_actor_is_replaced_and_keeps_its_mailbox()
    {
        await using var system = TestSystem.Create();
        var probe = new Probe();
        var instances = 0;
        var pid = system.Root.Spawn(Props.FromProducer(() => new Recorder(probe, ++instances)));

        system.Root.Send(pid, "one");
        system.Root.Send(pid, "fail");
        system.Root.Send(pid, "two");

        Assert.Equal(
            ["1 Started", "1 one", "1 Restarting", "1 disposed", "2 Started", "2 two"],
            (await probe.Take(6)).Cast<string>());
    }

    [Fact]
    public async Task Ten_restarts_within_ten_seconds_are_allowed_and_the_next_failure_stops()
    {
        var time = new ManualTime();
        await using var system = TestSystem.Create(config => config.WithTimeProvider(time));
        var instances = 0;
        var pid = system.Root.Spawn(Props.FromProducer(() => new Recorder(new Probe(), Interlocked.Increment(ref instances))));
        for (var i = 0; i < 10; i++) system.Root.Send(pid, "fail");
        await Probe.Within(system.Root.RequestAsync<Touched>(pid, Touch.Instance));
        Assert.Equal(11, instances);

        // A quiet period makes room for ten more.
        time.Advance(TimeSpan.FromSeconds(11));
        for (var i = 0; i < 10; i++) system.Root.Send(pid, "fail");
        await Probe.Within(system.Root.RequestAsync<Touched>(pid, Touch.Instance));
        Assert.Equal(21, instances);

        system.Root.Send(pid, "fail");
        await Assert.ThrowsAsync<DeadLetterException>(() => Probe.Within(system.Root.RequestAsync<Touched>(pid, Touch.Instance)));
        Assert.Equal(21, instances);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_cannot_start_is_retried_with_growing_pauses_and_then_stopped(bool failsInConstructor)
    {
        var time = new ManualTime();
        await using var system = TestSystem.Create(config => config.WithTimeProvider(time));
        var starts = new Probe();
        var instances = 0;
        var pid = system.Root.Spawn(Props.FromProducer(() =>
        {
            instances++;
            if (failsInConstructor)
            {
                starts.Add(time.GetUtcNow());
                throw new InvalidOperationException("constructor");
            }

            return new FailingStart(() => starts.Add(time.GetUtcNow()));
        }));
        var stopped = new ObservedEnd(system, pid);

        var times = new List<DateTimeOffset> { (DateTimeOffset)await starts.Next() };
        for (var restart = 1; restart <= 10; restart++)
        {
            await time.FireNext();
            times.Add((DateTimeOffset)await starts.Next());
        }

        await stopped.Task;
        Assert.Equal(11, instances);
        for (var i = 1; i < times.Count; i++)
        {
            Assert.Equal(TimeSpan.FromMilliseconds(Math.Min(10 * Math.Pow(2, i - 1), 1000)), times[i] - times[i - 1]);
        }
    }

    [Fact]
    public async Task An_actor_that_is_always_restarted_does_not_loop_hot_when_it_cannot_start()
    {
        var time = new ManualTime();
        await using var system = TestSystem.Create(config => config.WithTimeProvider(time));
        var starts = new Probe();
        system.Root.Spawn(Props
            .FromProducer(() =>
            {
                starts.Add("start");
                throw new InvalidOperationException("constructor");
            })
            .WithGuardianSupervisorStrategy(Supervision.AlwaysRestartStrategy));
        var touched = system.Root.Spawn(Props.FromFunc(_ => Task.CompletedTask));

        await starts.Next();
        for (var i = 0; i < 100; i++) await Probe.Within(system.Root.RequestAsync<Touched>(touched, Touch.Instance));

        // The clock stands still, so there is no second start.
        Assert.Empty(starts.Drain());
    }

    [Fact]
    public async Task Messages_sent_while_an_actor_cannot_start_are_handled_when_it_can()
    {
        var time = new ManualTime();
        await using var system = TestSystem.Create(config => config.WithTimeProvider(time));
        var attempts = 0;
        var pid = system.Root.Spawn(Props.FromProducer(
            () => ++attempts > 2 ? new Recorder(new Probe(), attempts) : throw new InvalidOperationException("not yet")));
        var touched = system.Root.RequestAsync<Touched>(pid, Touch.Instance, CancellationToken.None);
        await time.FireNext();
        await time.FireNext();

        Assert.Equal(pid, (await Probe.Within(touched)).Who);
        Assert.Equal(3, attempts);
    }

    [Fact]
    public async Task Resume_keeps_the_instance()
    {
        await using var system = TestSystem.Create();
        var probe = new Probe();
        var instances = 0;
        var pid = system.Root.Spawn(Props
            .FromProducer(() => new Recorder(probe, ++instances))
            .WithGuardianSupervisorStrategy(new OneForOneStrategy((_, _) => SupervisorDirective.Resume, 0, null)));

        system.Root.Send(pid, "fail");
        system.Root.Send(pid, "after");

        Assert.Equal(["1 Started", "1 after"], (await probe.Take(2)).Cast<string>());
    }

    [Fact]
    public async Task Resuming_an_actor_without_an_instance_makes_one()
    {
        await using var system = TestSystem.Create();
        var attempts = 0;
        var pid = system.Root.Spawn(Props
            .FromProducer(() => ++attempts == 1 ? throw new InvalidOperationException("first") : new Recorder(new Probe(), attempts))
            .WithGuardianSupervisorStrategy(new OneForOneStrategy((_, _) => SupervisorDirective.Resume, 0, null)));

        Assert.Equal(pid, (await Probe.Within(system.Root.RequestAsync<Touched>(pid, Touch.Instance))).Who);
        Assert.Equal(2, attempts);
    }

    [Fact]
    public async Task Stop_stops_the_child_and_tells_the_parent()
    {
        await using var system = TestSystem.Create();
        var probe = new Probe();
        var (_, child) = await SpawnFamily(system, probe, new OneForOneStrategy((_, _) => SupervisorDirective.Stop, 0, null));

        system.Root.Send(child, "fail");

        Assert.Equal(child, (await probe.Next<Terminated>()).Who);
    }

    [Fact]
    public async Task All_for_one_restarts_the_siblings_too()
    {
        await using var system = TestSystem.Create();
        var probe = new Probe();
        var parent = system.Root.Spawn(Props
            .FromFunc(context =>
            {
                if (context.Message is not Started) return Task.CompletedTask;

                for (var i = 0; i < 3; i++)
                {
                    var number = i;
                    context.SpawnNamed(Props.FromProducer(() => new Recorder(probe, number)), $"child{i}");
                }

                return Task.CompletedTask;
            })
            .WithChildSupervisorStrategy(new AllForOneStrategy((_, _) => SupervisorDirective.Restart, 10, null)));
        await probe.Take(3);

        system.Root.Send(new PID(system.Address, $"{parent.Id}/child1"), "fail");

        var entries = (await probe.Take(9)).Cast<string>().ToList();
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal([$"{i} Restarting", $"{i} disposed", $"{i} Started"], entries.Where(entry => entry.StartsWith($"{i} ", StringComparison.Ordinal)));
        }
    }

    [Fact]
    public async Task Escalation_fails_the_parent_whose_supervisor_decides()
    {
        await using var system = TestSystem.Create();
        var probe = new Probe();
        var decided = new Probe();
        var strategy = new OneForOneStrategy(
            (pid, reason) =>
            {
                decided.Add((pid, reason.Message));
                return SupervisorDirective.Resume;
            },
            0,
            null);
        var parent = system.Root.Spawn(FamilyProps(probe, new OneForOneStrategy((_, _) => SupervisorDirective.Escalate, 0, null))
            .WithGuardianSupervisorStrategy(strategy));
        var child = await probe.Next<PID>();

        system.Root.Send(child, "fail");

        Assert.Equal((parent, "asked to fail"), await decided.Next());
        // Resuming the parent resumes the child that waits for the same decision.
        Assert.Equal(child, (await Probe.Within(system.Root.RequestAsync<Touched>(child, Touch.Instance))).Who);
        Assert.Equal(parent, (await Probe.Within(system.Root.RequestAsync<Touched>(parent, Touch.Instance))).Who);
    }

    [Fact]
    public async Task Exponential_back_off_waits_longer_each_time()
    {
        var time = new ManualTime();
        await using var system = TestSystem.Create(config => config.WithTimeProvider(time));
        var probe = new Probe();
        var instances = 0;
        var pid = system.Root.Spawn(Props
            .FromProducer(() => new Recorder(probe, ++instances))
            .WithGuardianSupervisorStrategy(new ExponentialBackoffStrategy(TimeSpan.FromMinutes(1), TimeSpan.FromMilliseconds(100))));
        await probe.Next();
        var last = time.GetUtcNow();
        foreach (var pause in (int[])[100, 200, 400])
        {
            system.Root.Send(pid, "fail");
            await time.FireNext();
            Assert.Equal(["Restarting", "disposed", "Started"], (await probe.Take(3)).Cast<string>().Select(entry => entry.Split(' ')[1]));
            Assert.Equal(TimeSpan.FromMilliseconds(pause), time.GetUtcNow() - last);
            last = time.GetUtcNow();
        }
    }

    [Fact]
    public async Task A_strategy_that_throws_stops_the_child_and_fails_its_supervisor()
    {
        await using var system = TestSystem.Create();
        var probe = new Probe();
        var broken = new OneForOneStrategy((_, _) => throw new InvalidOperationException("broken decider"), 0, null);
        var reasons = new Probe();
        var guarding = new OneForOneStrategy(
            (_, reason) =>
            {
                reasons.Add(reason.Message);
                return SupervisorDirective.Resume;
            },
            0,
            null);
        system.Root.Spawn(FamilyProps(probe, broken).WithGuardianSupervisorStrategy(guarding));
        var child = await probe.Next<PID>();

        system.Root.Send(child, "fail");

        Assert.Equal("broken decider", await reasons.Next());
        Assert.Equal(child, (await probe.Next<Terminated>()).Who);
    }

    [Fact]
    public async Task A_guardian_strategy_that_throws_stops_the_actor()
    {
        await using var system = TestSystem.Create();
        var broken = new OneForOneStrategy((_, _) => throw new InvalidOperationException("broken decider"), 0, null);
        var pid = system.Root.Spawn(Props.FromProducer(() => new Recorder(new Probe(), 1)).WithGuardianSupervisorStrategy(broken));
        var ended = new ObservedEnd(system, pid);

        system.Root.Send(pid, "fail");

        await ended.Task;
    }

    [Fact]
    public async Task A_restart_stops_the_children_first()
    {
        await using var system = TestSystem.Create();
        var probe = new Probe();
        var (parent, child) = await SpawnFamily(system, probe, Supervision.DefaultStrategy);

        system.Root.Send(parent, "fail");

        Assert.Equal(child, (await probe.Next<Terminated>()).Who);
        Assert.NotEqual(child, await probe.Next<PID>());
    }

    [Fact]
    public async Task A_child_spawned_while_its_parent_stops_does_not_outlive_it()
    {
        await using var system = TestSystem.Create();
        var late = new Probe();
        var nothing = Props.FromFunc(_ => Task.CompletedTask);
        var pid = system.Root.Spawn(Props.FromFunc(context =>
        {
            if (context.Message is Started) context.Spawn(nothing);
            if (context.Message is Terminated && late.Drain().Count == 0) late.Add(context.Spawn(nothing));
            return Task.CompletedTask;
        }));
        var before = system.ProcessRegistry.ProcessCount;

        await Probe.Within(system.Root.StopAsync(pid));

        Assert.True(system.ProcessRegistry.ProcessCount < before);
        Assert.Empty(system.ProcessRegistry.Find(id => id.StartsWith(pid.Id + "/", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_failed_instance_gets_neither_continuations_nor_terminations()
    {
        await using var system = TestSystem.Create();
        var probe = new Probe();
        var watched = system.Root.Spawn(Props.FromFunc(_ => Task.CompletedTask));
        var later = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var supervisor = new HeldStrategy();
        var instances = 0;
        var pid = system.Root.Spawn(Props.FromProducer(() =>
        {
            var instance = ++instances;
            return new FunctionInstance(context =>
            {
                switch (context.Message)
                {
                    case Started when instance == 1:
                        context.Watch(watched);
                        context.ReenterAfter(later.Task, () => probe.Add($"{instance} continued"));
                        break;
                    case string:
                        throw new InvalidOperationException("asked to fail");
                    case Terminated:
                        probe.Add($"{instance} terminated");
                        break;
                }

                return Task.CompletedTask;
            });
        }).WithGuardianSupervisorStrategy(supervisor));
        await Probe.Within(system.Root.RequestAsync<Touched>(pid, Touch.Instance));
        system.Root.Send(pid, "fail");
        await supervisor.Failed;

        later.SetResult();
        await Probe.Within(system.Root.StopAsync(watched));
        supervisor.Restart();

        // Watching outlives the instance; its continuation does not.
        Assert.Equal("2 terminated", await probe.Next());
        await Probe.Within(system.Root.RequestAsync<Touched>(pid, Touch.Instance));
        Assert.Empty(probe.Drain());
    }

    private static Props FamilyProps(Probe probe, ISupervisorStrategy strategy) => Props
        .FromFunc(context =>
        {
            switch (context.Message)
            {
                case Started:
                    probe.Add(context.Spawn(Props.FromProducer(() => new Recorder(new Probe(), 0))));
                    break;
                case Terminated terminated:
                    probe.Add(terminated);
                    break;
                case "fail":
                    throw new InvalidOperationException("asked to fail");
            }

            return Task.CompletedTask;
        })
        .WithChildSupervisorStrategy(strategy);

    private static async Task<(PID Parent, PID Child)> SpawnFamily(ActorSystem system, Probe probe, ISupervisorStrategy strategy)
    {
        var parent = system.Root.Spawn(FamilyProps(probe, strategy));
        return (parent, await probe.Next<PID>());
    }

    private sealed class Recorder(Probe probe, int instance) : IActor, IDisposable
    {
        public Task ReceiveAsync(IContext context)
        {
            if (context.Message is "fail") throw new InvalidOperationException("asked to fail");

            if (context.Message is not Stopping and not Stopped)
            {
                probe.Add($"{instance} {context.Message as string ?? context.Message!.GetType().Name}");
            }

            return Task.CompletedTask;
        }

        public void Dispose() => probe.Add($"{instance} disposed");
    }

    private sealed class FailingStart(Action started) : IActor
    {
        public async Task ReceiveAsync(IContext context)
        {
            if (context.Message is not Started) return;

            started();
            await Task.Yield();
            throw new InvalidOperationException("start");
        }
    }

    private sealed class FunctionInstance(Receive receive) : IActor
    {
        public Task ReceiveAsync(IContext context) => receive(context);
    }

    /// <summary>Decides when the test says so.</summary>
    private sealed class HeldStrategy : ISupervisorStrategy
    {
        private readonly TaskCompletionSource<(ISupervisor, PID, Exception)> _failure = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Failed => Probe.Within(_failure.Task);

        public void HandleFailure(ISupervisor supervisor, PID child, RestartStatistics rs, Exception cause, object? message) =>
            _failure.TrySetResult((supervisor, child, cause));

        public void Restart()
        {
            var (supervisor, child, cause) = _failure.Task.Result;
            supervisor.RestartChildren(cause, child);
        }
    }

    private sealed class ObservedEnd
    {
        public ObservedEnd(ActorSystem system, PID pid)
        {
            var ended = new TaskCompletionSource();
            system.Root.Spawn(Props.FromFunc(context =>
            {
                if (context.Message is Started) context.Watch(pid);
                if (context.Message is Terminated) ended.TrySetResult();
                return Task.CompletedTask;
            }));
            Task = Probe.Within(ended.Task);
        }

        public Task Task { get; }
    }

    private sealed class Handler(Func<object?, Task> handle) : IActor
    {
        public Task ReceiveAsync(IContext context) => handle(context.Message);
    }

    private sealed class RestartsTwiceThenHesitates : ISupervisorStrategy
    {
        private readonly TaskCompletionSource _restarted = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Restarted => _restarted.Task;

        /// <summary>For the second time.</summary>
        public Task Asked => _asked.Task;

        public void HandleFailure(ISupervisor supervisor, PID child, RestartStatistics rs, Exception cause, object? message)
        {
            if (Restarted.IsCompleted)
            {
                _asked.SetResult();
                return;
            }

            supervisor.RestartChildren(cause, child, child);
            _restarted.SetResult();
        }
    }
}
