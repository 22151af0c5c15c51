namespace Proto.Actor.Tests;

public sealed class MessagingTests
{
    [Fact]
    public async Task A_system_message_cannot_be_forwarded_through_middleware_either()
    {
        await using var system = TestSystem.Create();
        var probe = new Probe();
        system.Root.Spawn(Props.FromFunc(context =>
        {
            if (context.Message is Started) probe.Add(Record.Exception(() => context.Forward(system.DeadLetterPid)) ?? (object)"forwarded");
            return Task.CompletedTask;
        }).WithReceiverMiddleware(next => (context, envelope) => next(context, envelope)));

        Assert.IsType<InvalidOperationException>(await probe.Next());
    }

    [Fact]
    public async Task Messages_of_one_sender_arrive_in_order()
    {
        await using var system = TestSystem.Create();
        const int count = 100_000;
        var expected = 0;
        var pid = system.Root.Spawn(Props.FromFunc(context =>
        {
            if (context.Message is int number)
            {
                if (number != expected++) throw new InvalidOperationException($"got {number}");
            }
            else if (context.Message is string) context.Respond(expected);

            return Task.CompletedTask;
        }));

        for (var i = 0; i < count; i++) system.Root.Send(pid, i);

        Assert.Equal(count, await Probe.Within(system.Root.RequestAsync<int>(pid, "count")));
    }

    [Fact]
    public async Task Each_of_many_senders_keeps_its_order_and_nothing_is_lost()
    {
        await using var system = TestSystem.Create();
        const int senders = 8;
        const int each = 20_000;
        var next = new int[senders];
        var total = 0;
        var done = new TaskCompletionSource();
        var pid = system.Root.Spawn(Props.FromFunc(context =>
        {
            if (context.Message is (int sender, int number))
            {
                if (next[sender]++ != number) done.TrySetException(new InvalidOperationException("out of order"));
                if (++total == senders * each) done.TrySetResult();
            }

            return Task.CompletedTask;
        }));

        await Task.WhenAll(Enumerable.Range(0, senders).Select(sender => Task.Run(() =>
        {
            for (var i = 0; i < each; i++) system.Root.Send(pid, (sender, i));
        })));

        await Probe.Within(done.Task);
    }

    [Fact]
    public async Task An_actor_handles_one_message_at_a_time_also_when_its_handler_waits()
    {
        await using var system = TestSystem.Create();
        var inside = 0;
        var overlaps = 0;
        var handled = 0;
        var pid = system.Root.Spawn(Props.FromFunc(async context =>
        {
            if (context.Message is not int) return;

            if (Interlocked.Increment(ref inside) != 1) Interlocked.Increment(ref overlaps);
            await Task.Yield();
            handled++;
            Interlocked.Decrement(ref inside);
        }));

        for (var i = 0; i < 2000; i++) system.Root.Send(pid, i);
        await Probe.Within(system.Root.PoisonAsync(pid));

        Assert.Equal(2000, handled);
        Assert.Equal(0, overlaps);
    }

    [Fact]
    public async Task Forward_keeps_the_sender()
    {
        await using var system = TestSystem.Create();
        var answering = system.Root.Spawn(Props.FromFunc(context =>
        {
            if (context.Message is string text) context.Respond(text.ToUpperInvariant());
            return Task.CompletedTask;
        }));
        var forwarding = system.Root.Spawn(Props.FromFunc(context =>
        {
            if (context.Message is string) context.Forward(answering);
            return Task.CompletedTask;
        }));

        Assert.Equal("HELLO", await Probe.Within(system.Root.RequestAsync<string>(forwarding, "hello")));
    }

    [Fact]
    public async Task Headers_travel_with_the_request_and_with_the_reply()
    {
        await using var system = TestSystem.Create();
        var pid = system.Root.Spawn(Props.FromFunc(context =>
        {
            if (context.Message is string) context.Respond("reply", MessageHeader.Empty.With("echo", context.Headers.GetOrDefault("key")));
            return Task.CompletedTask;
        }));

        var root = system.Root.WithHeaders(MessageHeader.Empty.With("key", "value"));
        var (message, header) = await Probe.Within(root.RequestWithHeadersAsync<string>(pid, "request"));

        Assert.Equal("reply", message);
        Assert.Equal("value", header["echo"]);
    }

    [Fact]
    public async Task A_name_is_given_once_and_is_free_again_after_the_actor_has_stopped()
    {
        await using var system = TestSystem.Create();
        var props = Props.FromFunc(_ => Task.CompletedTask);
        var first = system.Root.SpawnNamed(props, "name");

        var refused = Assert.Throws<ProcessNameExistException>(() => system.Root.SpawnNamed(props, "name"));
        Assert.Equal(first, refused.Pid);

        await Probe.Within(system.Root.StopAsync(first));
        Assert.Equal(first, system.Root.SpawnNamed(props, "name"));
    }

    [Fact]
    public async Task A_pid_that_outlives_its_actor_finds_the_next_one_of_the_name()
    {
        await using var system = TestSystem.Create();
        var props = Props.FromFunc(context =>
        {
            if (context.Message is string) context.Respond(context.Self.Id);
            return Task.CompletedTask;
        });
        var pid = system.Root.SpawnNamed(props, "name");
        Assert.Equal("name", await Probe.Within(system.Root.RequestAsync<string>(pid, "who")));
        await Probe.Within(system.Root.StopAsync(pid));
        await Assert.ThrowsAsync<DeadLetterException>(() => Probe.Within(system.Root.RequestAsync<string>(pid, "who")));

        system.Root.SpawnNamed(props, "name");

        Assert.Equal("name", await Probe.Within(system.Root.RequestAsync<string>(pid, "who")));
    }

    [Fact]
    public async Task Touch_is_answered_by_the_engine()
    {
        await using var system = TestSystem.Create();
        var pid = system.Root.Spawn(Props.FromFunc(_ => Task.CompletedTask));

        Assert.Equal(pid, (await Probe.Within(system.Root.RequestAsync<Touched>(pid, Touch.Instance))).Who);
    }

    [Fact]
    public async Task The_synchronous_dispatcher_handles_a_message_before_send_returns()
    {
        await using var system = TestSystem.Create();
        var handled = 0;
        var pid = system.Root.Spawn(Props.FromFunc(context =>
        {
            if (context.Message is int) handled++;
            return Task.CompletedTask;
        }).WithDispatcher(Mailbox.Dispatchers.SynchronousDispatcher));

        system.Root.Send(pid, 1);

        Assert.Equal(1, handled);
    }
}
