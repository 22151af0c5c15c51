using System.Runtime.CompilerServices;

namespace Proto.Actor.Tests;

/// <summary>What a million requests leave behind: nothing.</summary>
public sealed class StressLeakTests
{
    private const int Callers = 8;
    private const int Window = 1_000;
    private const int Answered = 940_000;
    private const int ToNobody = 40_000;
    private const int TimedOut = 20_000;

    private static readonly object s_direct = new();
    private static readonly object s_byAddress = new();
    private static readonly object s_never = new();

    private static readonly Props s_target = Props.FromFunc(context =>
    {
        var message = context.Message!;
        if (message == s_direct) context.Respond(message);
        // Asking for the sender makes an address, which somebody has to give back.
        else if (message == s_byAddress) context.Send(context.Sender!, message);
        else if (message == s_never) Assert.NotNull(context.Sender);
        return Task.CompletedTask;
    });

    [Fact]
    public async Task A_million_requests_leave_no_process_future_or_timer()
    {
        var time = new ManualTime();
        await using var system = TestSystem.Create(config => config.WithTimeProvider(time).WithActorRequestTimeout(TimeSpan.FromSeconds(5)));
        var target = system.Root.Spawn(s_target);
        var nobody = new PID(system.Address, "nobody");
        await system.Root.RequestAsync<Touched>(target, Touch.Instance);
        var before = system.ProcessRegistry.ProcessCount;

        var answered = await FromAllCallers(Answered, i => system.Root.RequestAsync<object>(target, i % 2 == 0 ? s_direct : s_byAddress));
        var toNobody = await FromAllCallers(ToNobody, _ => system.Root.RequestAsync<object>(nobody, s_direct));
        Assert.Equal(Answered, answered[TaskStatus.RanToCompletion]);
        Assert.Equal(ToNobody, toNobody[TaskStatus.Faulted]);
        Assert.Equal(before, system.ProcessRegistry.ProcessCount);
        Leftovers.AssertAllSharedSlotsAreFree(system);

        var unanswered = Enumerable.Range(0, TimedOut).Select(_ => system.Root.RequestAsync<object>(target, s_never)).ToList();
        await system.Root.RequestAsync<Touched>(target, Touch.Instance);
        Assert.DoesNotContain(unanswered, request => request.IsCompleted);
        Assert.True(system.ProcessRegistry.ProcessCount > before, "more addresses than the shared future has slots");
        time.Advance(TimeSpan.FromSeconds(6));
        Assert.All(unanswered, request => Assert.IsType<TimeoutException>(request.Exception!.InnerException));

        Assert.Equal(before, system.ProcessRegistry.ProcessCount);
        Leftovers.AssertAllSharedSlotsAreFree(system);
        Assert.Equal(0, time.TimerCount);
    }

    [Fact]
    public async Task A_request_that_has_ended_is_not_held_by_the_token_it_could_have_ended_with()
    {
        await using var system = TestSystem.Create();
        using var cancellation = new CancellationTokenSource();
        var target = system.Root.Spawn(s_target);

        var (token, deadline) = (
            await RequestOnce(() => system.Root.RequestAsync<object>(target, new Traced(), cancellation.Token)),
            await RequestOnce(() => system.Root.RequestAsync<object>(target, new Traced())));
        // The actor lets go of a message before it handles the next one.
        await system.Root.RequestAsync<Touched>(target, Touch.Instance);
        // What completes a task may have it on its stack for a moment longer; what is leaked stays.
        for (var attempt = 0; attempt < 100 && (token.IsAlive || deadline.IsAlive); attempt++)
        {
            await Task.Yield();
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        Assert.False(token.IsAlive);
        Assert.False(deadline.IsAlive);
        // Alive until here, and with them the lists that a leak would hang in.
        GC.KeepAlive(system);
        GC.KeepAlive(cancellation);
    }

    [Fact]
    public async Task Stopping_many_actors_and_waiting_for_them_leaves_no_watch()
    {
        await using var system = TestSystem.Create();
        var before = system.ProcessRegistry.ProcessCount;

        var stopped = await FromAllCallers(20_000, _ => system.Root.StopAsync(system.Root.Spawn(s_target)));

        Assert.Equal(20_000, stopped[TaskStatus.RanToCompletion]);
        Assert.Equal(before, system.ProcessRegistry.ProcessCount);
        Leftovers.AssertAllSharedSlotsAreFree(system);
    }

    /// <summary>How many of the operations ended in which way; each caller has a window of them under way.</summary>
    private static async Task<Dictionary<TaskStatus, int>> FromAllCallers(int operations, Func<int, Task> operation)
    {
        var statuses = await Probe.Within(Task.WhenAll(Enumerable.Range(0, Callers).Select(_ => Task.Run(async () =>
        {
            var ended = new Dictionary<TaskStatus, int>();
            var underWay = new Task[Window];
            for (var left = operations / Callers; left > 0; left -= Window)
            {
                var count = Math.Min(left, Window);
                for (var i = 0; i < count; i++) underWay[i] = operation(i);
                for (var i = 0; i < count; i++)
                {
                    await underWay[i].ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                    ended[underWay[i].Status] = ended.GetValueOrDefault(underWay[i].Status) + 1;
                }
            }

            return ended;
        }))));
        return statuses.SelectMany(ended => ended).GroupBy(entry => entry.Key).ToDictionary(group => group.Key, group => group.Sum(entry => entry.Value));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static async Task<WeakReference> RequestOnce(Func<Task<object>> request)
    {
        var task = request();
        await Probe.Within(task);
        return new WeakReference(task);
    }

    private sealed class Traced : IAutoRespond
    {
        public object GetAutoResponse(IContext context) => s_direct;
    }
}
