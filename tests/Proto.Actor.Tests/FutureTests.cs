namespace Proto.Actor.Tests;

public sealed class FutureTests
{
    private static readonly Props s_echo = Props.FromFunc(context =>
    {
        if (context.Message is int or string) context.Respond(context.Message);
        return Task.CompletedTask;
    });

    private static readonly Props s_silent = Props.FromFunc(_ => Task.CompletedTask);

    public static TheoryData<bool> Kinds => [true, false];

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task No_address_is_left_after_many_requests_answered_or_not(bool shared)
    {
        await using var system = Create(shared);
        var echo = system.Root.Spawn(s_echo);
        var silent = system.Root.Spawn(s_silent);
        var before = system.ProcessRegistry.ProcessCount;
        using var cancellation = new CancellationTokenSource();

        var answered = Enumerable.Range(0, 2000).Select(i => system.Root.RequestAsync<int>(echo, i, cancellation.Token)).ToList();
        Assert.Equal(Enumerable.Range(0, 2000), await Probe.Within(Task.WhenAll(answered)));

        var unanswered = Enumerable.Range(0, 2000).Select(i => system.Root.RequestAsync<int>(silent, i, cancellation.Token)).ToList();
        Assert.DoesNotContain(unanswered, task => task.IsCompleted);
        cancellation.Cancel();
        foreach (var task in unanswered) await Assert.ThrowsAsync<TimeoutException>(() => Probe.Within(task));

        Assert.Equal(before, system.ProcessRegistry.ProcessCount);
        // All slots of the shared future are free again: as many requests as before, and no process of their own.
        Assert.Equal(7, await Probe.Within(system.Root.RequestAsync<int>(echo, 7)));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_token_that_is_cancelled_already_times_the_request_out_and_leaves_nothing(bool shared)
    {
        await using var system = Create(shared);
        var silent = system.Root.Spawn(s_silent);
        var before = system.ProcessRegistry.ProcessCount;

        await Assert.ThrowsAsync<TimeoutException>(() => system.Root.RequestAsync<int>(silent, 1, new CancellationToken(true)));

        Assert.Equal(before, system.ProcessRegistry.ProcessCount);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Cancellation_and_reply_racing_complete_each_request_exactly_once(bool shared)
    {
        await using var system = Create(shared);
        var echo = system.Root.Spawn(s_echo);
        var before = system.ProcessRegistry.ProcessCount;
        for (var round = 0; round < 200; round++)
        {
            using var cancellation = new CancellationTokenSource();
            var requests = Enumerable.Range(0, 20).Select(i => system.Root.RequestAsync<int>(echo, i, cancellation.Token)).ToList();
            cancellation.Cancel();
            for (var i = 0; i < requests.Count; i++)
            {
                try
                {
                    Assert.Equal(i, await Probe.Within(requests[i]));
                }
                catch (TimeoutException timeout)
                {
                    Assert.Contains("token", timeout.Message, StringComparison.Ordinal);
                }
            }
        }

        // The actor may still be looking for the address of a request that has timed out.
        await Probe.Within(system.Root.PoisonAsync(echo));
        Assert.Equal(before - 1, system.ProcessRegistry.ProcessCount);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_late_reply_is_a_dead_letter_and_never_answers_another_request(bool shared)
    {
        await using var system = Create(shared);
        var deadLetters = new Probe();
        system.EventStream.Subscribe<DeadLetterEvent>(deadLetters.Add);
        PID? requester = null;
        var taken = new TaskCompletionSource();
        var pid = system.Root.Spawn(Props.FromFunc(context =>
        {
            if (context.Message is not "first") return Task.CompletedTask;

            requester = context.Sender;
            taken.SetResult();
            return Task.CompletedTask;
        }));
        using var cancellation = new CancellationTokenSource();
        var first = system.Root.RequestAsync<string>(pid, "first", cancellation.Token);
        await Probe.Within(taken.Task);
        cancellation.Cancel();
        await Assert.ThrowsAsync<TimeoutException>(() => Probe.Within(first));

        using var second = system.Root.GetFuture();
        system.Root.Send(requester!, "late");

        Assert.Equal("late", (await deadLetters.Next<DeadLetterEvent>()).Message);
        Assert.False(second.Task.IsCompleted);
    }

    [Fact]
    public async Task A_shared_slot_is_rented_again_after_all_others_so_that_no_request_id_comes_back_soon()
    {
        await using var system = TestSystem.Create(config => config.WithSharedFutures(4));
        var requestIds = new List<uint>();

        for (var i = 0; i < 12; i++)
        {
            using var future = system.Root.GetFuture();
            requestIds.Add(future.Pid.RequestId);
        }

        Assert.Equal([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], requestIds);
    }

    [Fact]
    public async Task More_requests_than_shared_slots_get_processes_of_their_own()
    {
        await using var system = TestSystem.Create(config => config.WithSharedFutures(4));
        var before = system.ProcessRegistry.ProcessCount;
        var futures = Enumerable.Range(0, 10).Select(_ => system.Root.GetFuture()).ToList();
        Assert.Equal(before + 6, system.ProcessRegistry.ProcessCount);
        Assert.Equal(10, futures.Select(future => future.Pid).Distinct().Count());

        for (var i = 0; i < futures.Count; i++) system.Root.Send(futures[i].Pid, i);
        for (var i = 0; i < futures.Count; i++) Assert.Equal(i, await Probe.Within(futures[i].Task));

        Assert.Equal(before, system.ProcessRegistry.ProcessCount);
    }

    [Fact]
    public async Task A_request_to_nobody_fails_at_once_with_the_target()
    {
        await using var system = TestSystem.Create();
        var nobody = new PID(system.Address, "nobody");

        var failure = await Assert.ThrowsAsync<DeadLetterException>(() => Probe.Within(system.Root.RequestAsync<int>(nobody, 1)));

        Assert.Equal(nobody, failure.Pid);
    }

    [Fact]
    public async Task A_reply_of_another_type_is_an_error_that_names_both()
    {
        await using var system = TestSystem.Create();
        var echo = system.Root.Spawn(s_echo);

        var failure = await Assert.ThrowsAsync<InvalidOperationException>(() => Probe.Within(system.Root.RequestAsync<int>(echo, "text")));

        Assert.Contains("System.Int32", failure.Message, StringComparison.Ordinal);
        Assert.Contains("System.String", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_requester_continues_outside_the_responder_turn()
    {
        await using var system = TestSystem.Create();
        var responded = new ManualResetEventSlim();
        var pid = system.Root.Spawn(Props.FromFunc(context =>
        {
            if (context.Message is not string) return Task.CompletedTask;

            context.Respond("reply");
            // If the requester ran here, the wait would never end.
            if (!responded.Wait(TimeSpan.FromSeconds(30))) throw new InvalidOperationException("the requester does not run beside the responder");
            return Task.CompletedTask;
        }));

        await Probe.Within(system.Root.RequestAsync<string>(pid, "request"));
        responded.Set();

        Assert.NotNull(await Probe.Within(system.Root.RequestAsync<Touched>(pid, Touch.Instance)));
    }

    /// <summary>Requests share what ends them; how they are spread over it must not show.</summary>
    [Fact]
    public async Task A_timeout_is_never_early_and_at_most_two_percent_late()
    {
        var timeout = TimeSpan.FromSeconds(5);
        var time = new ManualTime();
        await using var system = TestSystem.Create(config => config.WithTimeProvider(time));
        var silent = system.Root.Spawn(s_silent);
        var requests = new List<(DateTimeOffset Begun, Task<int> Task)>();
        for (var i = 0; i < 300; i++)
        {
            requests.Add((time.GetUtcNow(), system.Root.RequestAsync<int>(silent, i, timeout)));
            time.Advance(TimeSpan.FromTicks(7_531)); // not whole milliseconds, over several shared windows
        }

        while (requests.Count > 0)
        {
            var now = time.GetUtcNow();
            Assert.All(requests.Where(r => r.Task.IsCompleted), r => Assert.True(now - r.Begun >= timeout, $"ended after {now - r.Begun}"));
            Assert.All(requests.Where(r => !r.Task.IsCompleted), r => Assert.True(now - r.Begun <= timeout * 1.02 + TimeSpan.FromMilliseconds(2), $"still waiting after {now - r.Begun}"));
            requests.RemoveAll(r => r.Task.IsCompleted);
            time.Advance(TimeSpan.FromTicks(500));
        }
    }

    [Fact]
    public async Task A_default_timeout_follows_the_systems_clock()
    {
        var time = new ManualTime();
        await using var system = TestSystem.Create(config => config.WithTimeProvider(time).WithActorRequestTimeout(TimeSpan.FromMinutes(1)));
        var silent = system.Root.Spawn(s_silent);
        var before = system.ProcessRegistry.ProcessCount;
        var request = system.Root.RequestAsync<int>(silent, 1);

        time.Advance(TimeSpan.FromSeconds(59));
        Assert.False(request.IsCompleted);
        time.Advance(TimeSpan.FromSeconds(3));

        await Assert.ThrowsAsync<TimeoutException>(() => Probe.Within(request));
        Assert.Equal(before, system.ProcessRegistry.ProcessCount);
    }

    [Fact]
    public async Task A_disposed_future_gives_its_address_back()
    {
        await using var system = Create(shared: false);
        var before = system.ProcessRegistry.ProcessCount;

        var future = system.Root.GetFuture();
        future.Dispose();

        Assert.Equal(before, system.ProcessRegistry.ProcessCount);
        Assert.True(future.Task.IsCanceled);
    }

    private static ActorSystem Create(bool shared) => TestSystem.Create(config => config with { SharedFutures = shared });
}
