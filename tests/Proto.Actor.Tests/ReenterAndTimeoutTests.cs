using System.Runtime.CompilerServices;

namespace Proto.Actor.Tests;

public sealed class ReenterAndTimeoutTests
{
    [Fact]
    public async Task A_cancellation_that_was_reentered_after_leaves_nothing_behind()
    {
        await using var system = TestSystem.Create();
        var probe = new Probe();
        var pid = system.Root.Spawn(Props.FromFunc(context =>
        {
            if (context.Message is "cancel") ReenterAfterCancellation(context, probe);
            return Task.CompletedTask;
        }));
        system.Root.Send(pid, "cancel");
        var kept = await probe.Next<WeakReference>();
        await probe.Next<string>();

        // The turn's thread and the collector may hold it a little longer.
        for (var i = 0; kept.IsAlive && i < 200; i++)
        {
            await Probe.Within(system.Root.RequestAsync<Touched>(pid, Touch.Instance, CancellationToken.None));
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        Assert.False(kept.IsAlive);
    }

    [Fact]
    public async Task The_scheduler_goes_on_when_a_message_cannot_be_sent()
    {
        var time = new ManualTime();
        var log = new RecordedLog();
        await using var system = TestSystem.Create(config => config.WithTimeProvider(time).WithLoggerFactory(log));
        var probe = new Probe();
        var pid = system.Root.Spawn(Props.FromFunc(context =>
        {
            if (context.Message is "tick") probe.Add("tick");
            return Task.CompletedTask;
        }));
        var sent = 0;
        var root = system.Root.WithSenderMiddleware(next => (context, target, envelope) =>
            ++sent == 1 ? throw new InvalidOperationException("cannot send") : next(context, target, envelope));

        using var repeated = root.Scheduler().SendRepeatedly(TimeSpan.FromSeconds(1), pid, "tick");
        time.Advance(TimeSpan.FromSeconds(2));

        Assert.Equal("tick", await probe.Next());
        Assert.Contains(log.Entries.Drain().Cast<string>(), static entry => entry.StartsWith("Error:", StringComparison.Ordinal));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void ReenterAfterCancellation(IContext context, Probe probe)
    {
        var kept = new object();
        using var source = new CancellationTokenSource();
        context.ReenterAfterCancellation(source.Token, () => probe.Add(kept.ToString()!));
        source.Cancel();
        probe.Add(new WeakReference(kept));
    }

    [Fact]
    public async Task Other_messages_go_between_and_the_continuation_sees_its_own_message()
    {
        await using var system = TestSystem.Create();
        var probe = new Probe();
        var later = new TaskCompletionSource<int>();
        var pid = system.Root.Spawn(Props.FromFunc(context =>
        {
            switch (context.Message)
            {
                case "wait":
                    context.ReenterAfter(later.Task, task =>
                    {
                        probe.Add($"{context.Message} {task.Result}");
                        context.Respond("reentered");
                        return Task.CompletedTask;
                    });
                    break;
                case "between":
                    probe.Add("between");
                    break;
            }

            return Task.CompletedTask;
        }));
        var reply = system.Root.RequestAsync<string>(pid, "wait");
        system.Root.Send(pid, "between");
        Assert.Equal("between", await probe.Next());

        later.SetResult(7);

        Assert.Equal("wait 7", await probe.Next());
        Assert.Equal("reentered", await Probe.Within(reply));
    }

    [Fact]
    public async Task Every_form_of_reentering_runs_also_after_failed_and_finished_tasks()
    {
        await using var system = TestSystem.Create();
        var probe = new Probe();
        var failed = Task.FromException<int>(new InvalidOperationException("failed"));
        system.Root.Spawn(Props.FromFunc(context =>
        {
            if (context.Message is not Started) return Task.CompletedTask;

            context.ReenterAfter(Task.FromResult(1), (Task<int> task) => probe.Add($"1 {task.Result}"));
            context.ReenterAfter(failed, (Task<int> task) => probe.Add($"2 {task.IsFaulted}"));
            context.ReenterAfter((Task)failed, () => probe.Add("3"));
            context.ReenterAfter((Task)failed, (Task task) => probe.Add($"4 {task.IsFaulted}"));
            context.ReenterAfter((Task)failed, async (Task task) =>
            {
                await Task.Yield();
                probe.Add($"5 {task.IsFaulted}");
            });
            return Task.CompletedTask;
        }));

        Assert.Equal(["1 1", "2 True", "3", "4 True", "5 True"], (await probe.Take(5)).Cast<string>());
    }

    [Fact]
    public async Task Reentering_after_a_cancellation_happens_unless_the_actor_is_gone()
    {
        await using var system = TestSystem.Create();
        var probe = new Probe();
        using var cancellation = new CancellationTokenSource();
        var props = Props.FromFunc(context =>
        {
            if (context.Message is Started) context.ReenterAfterCancellation(cancellation.Token, () => probe.Add(context.Self));
            return Task.CompletedTask;
        });
        var gone = system.Root.Spawn(props);
        await Probe.Within(system.Root.PoisonAsync(gone));
        var alive = system.Root.Spawn(props);
        await Probe.Within(system.Root.RequestAsync<Touched>(alive, Touch.Instance));

        cancellation.Cancel();

        Assert.Equal(alive, await probe.Next());
        Assert.Empty(probe.Drain());
    }

    [Fact]
    public async Task Request_reenter_answers_from_another_actor()
    {
        await using var system = TestSystem.Create();
        var inner = system.Root.Spawn(Props.FromFunc(context =>
        {
            if (context.Message is int number) context.Respond(number * 2);
            return Task.CompletedTask;
        }));
        var outer = system.Root.Spawn(Props.FromFunc(context =>
        {
            if (context.Message is int number)
            {
                context.RequestReenter<int>(
                    inner,
                    number,
                    async task => context.Respond(await task + 1),
                    CancellationToken.None);
            }

            return Task.CompletedTask;
        }));

        Assert.Equal(43, await Probe.Within(system.Root.RequestAsync<int>(outer, 21)));
    }

    [Fact]
    public async Task A_captured_message_can_be_handled_again()
    {
        await using var system = TestSystem.Create();
        CapturedContext? stashed = null;
        var open = false;
        var pid = system.Root.Spawn(Props.FromFunc(async context =>
        {
            switch (context.Message)
            {
                case int number when open:
                    context.Respond(number);
                    break;
                case int:
                    stashed = context.Capture();
                    break;
                case "open":
                    open = true;
                    await stashed!.Receive();
                    Assert.Equal("open", context.Message);
                    break;
            }
        }));
        var reply = system.Root.RequestAsync<int>(pid, 5);

        system.Root.Send(pid, "open");

        Assert.Equal(5, await Probe.Within(reply));
    }

    [Fact]
    public async Task The_token_is_cancelled_with_the_instance()
    {
        await using var system = TestSystem.Create();
        var tokens = new Probe();
        var pid = system.Root.Spawn(Props.FromFunc(context =>
        {
            if (context.Message is Started) tokens.Add(context.CancellationToken);
            if (context.Message is string) throw new InvalidOperationException("asked to fail");
            return Task.CompletedTask;
        }));
        var first = await tokens.Next<CancellationToken>();
        Assert.False(first.IsCancellationRequested);

        system.Root.Send(pid, "fail");
        var second = await tokens.Next<CancellationToken>();
        Assert.True(first.IsCancellationRequested);
        Assert.False(second.IsCancellationRequested);

        await Probe.Within(system.Root.StopAsync(pid));
        Assert.True(second.IsCancellationRequested);
    }

    [Fact]
    public async Task The_receive_timeout_is_told_once_and_only_after_silence()
    {
        var time = new ManualTime();
        await using var system = TestSystem.Create(config => config.WithTimeProvider(time));
        var probe = new Probe();
        var pid = system.Root.Spawn(Props.FromFunc(context =>
        {
            switch (context.Message)
            {
                case Started:
                    context.SetReceiveTimeout(TimeSpan.FromSeconds(10));
                    break;
                case ReceiveTimeout:
                    probe.Add((time.GetUtcNow(), context.ReceiveTimeout));
                    break;
                case "again":
                    context.SetReceiveTimeout(TimeSpan.FromSeconds(1));
                    break;
            }

            return Task.CompletedTask;
        }));
        async Task Say(object message)
        {
            system.Root.Send(pid, message);
            await Probe.Within(system.Root.RequestAsync<Touched>(pid, new QuietTouch(), CancellationToken.None));
        }

        var begin = time.GetUtcNow();
        await Say("hello");
        time.Advance(TimeSpan.FromSeconds(8));
        await Say("hello");
        time.Advance(TimeSpan.FromSeconds(8)); // the timer fires at 10 s, which is too early
        await Say(new Quiet());
        Assert.Empty(probe.Drain());

        time.Advance(TimeSpan.FromSeconds(2)); // 10 s after the last message that counts
        Assert.Equal((begin.AddSeconds(18), TimeSpan.Zero), await probe.Next());

        time.Advance(TimeSpan.FromMinutes(1));
        await Say("again");
        Assert.Empty(probe.Drain());
        time.Advance(TimeSpan.FromSeconds(1));
        await probe.Next();
    }

    [Fact]
    public async Task A_cancelled_receive_timeout_does_not_come()
    {
        var time = new ManualTime();
        await using var system = TestSystem.Create(config => config.WithTimeProvider(time));
        var probe = new Probe();
        var pid = system.Root.Spawn(Props.FromFunc(context =>
        {
            if (context.Message is Started) context.SetReceiveTimeout(TimeSpan.FromSeconds(10));
            if (context.Message is "cancel") context.CancelReceiveTimeout();
            if (context.Message is ReceiveTimeout) probe.Add("timeout");
            return Task.CompletedTask;
        }));
        system.Root.Send(pid, "cancel");
        await Probe.Within(system.Root.RequestAsync<Touched>(pid, Touch.Instance, CancellationToken.None));

        time.Advance(TimeSpan.FromHours(1));

        await Probe.Within(system.Root.RequestAsync<Touched>(pid, Touch.Instance, CancellationToken.None));
        Assert.Empty(probe.Drain());
    }

    [Fact]
    public async Task The_scheduler_follows_the_systems_clock_and_stops_when_told()
    {
        var time = new ManualTime();
        await using var system = TestSystem.Create(config => config.WithTimeProvider(time));
        var probe = new Probe();
        var pid = system.Root.Spawn(Props.FromFunc(context =>
        {
            if (context.Message is string text) probe.Add(text);
            return Task.CompletedTask;
        }));
        Task Handled() => Probe.Within(system.Root.RequestAsync<Touched>(pid, Touch.Instance, CancellationToken.None));
        var scheduler = system.Root.Scheduler();
        using var once = scheduler.SendOnce(TimeSpan.FromSeconds(5), pid, "once");
        using var never = scheduler.SendOnce(TimeSpan.FromSeconds(5), pid, "never");
        using var repeatedly = scheduler.SendRepeatedly(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2), pid, "tick");
        never.Cancel();

        time.Advance(TimeSpan.FromSeconds(4));
        await Handled();
        Assert.Equal(["tick", "tick"], probe.Drain()); // at 1 and 3

        time.Advance(TimeSpan.FromSeconds(2));
        await Handled();
        Assert.Equal(["once", "tick"], probe.Drain().Cast<string>().Order()); // both at 5

        repeatedly.Cancel();
        time.Advance(TimeSpan.FromMinutes(1));
        await Handled();
        Assert.Empty(probe.Drain());
    }

    private sealed record Quiet : INotInfluenceReceiveTimeout;

    private sealed record QuietTouch : INotInfluenceReceiveTimeout, IAutoRespond
    {
        public object GetAutoResponse(IContext context) => new Touched { Who = context.Self };
    }
}
