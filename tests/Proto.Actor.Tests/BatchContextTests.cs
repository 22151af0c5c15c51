namespace Proto.Actor.Tests;

public sealed class BatchContextTests
{
    [Fact]
    public async Task Its_replies_have_addresses_of_its_own_up_to_its_size_and_then_those_of_the_system()
    {
        await using var system = TestSystem.Create(config => config.WithSharedFutures(1));
        var senders = new Probe();
        var silent = system.Root.Spawn(Keep(senders));
        using var batch = system.Root.CreateBatchContext(3, CancellationToken.None);

        var requests = Enumerable.Range(0, 5).Select(i => batch.RequestAsync<int>(silent, i, CancellationToken.None)).ToList();
        var addresses = (await senders.Take(5)).Cast<PID>().ToList();

        // Three of the batch, the one that the system shares, and one of its own.
        Assert.Equal([3, 1, 1], addresses.GroupBy(pid => pid.Id).Select(group => group.Count()).OrderDescending());
        for (var i = 0; i < 5; i++) system.Root.Send(addresses[i], i);
        Assert.Equal(Enumerable.Range(0, 5), await Probe.Within(Task.WhenAll(requests)));
    }

    [Fact]
    public async Task An_answered_request_makes_room_for_the_next()
    {
        await using var system = TestSystem.Create();
        var senders = new Probe();
        var silent = system.Root.Spawn(Keep(senders));
        using var batch = system.Root.CreateBatchContext(1, CancellationToken.None);
        var processes = new HashSet<string>();

        for (var i = 0; i < 10; i++)
        {
            var request = batch.RequestAsync<int>(silent, i, CancellationToken.None);
            var sender = await senders.Next<PID>();
            processes.Add(sender.Id);
            system.Root.Send(sender, i);
            Assert.Equal(i, await Probe.Within(request));
        }

        Assert.Single(processes);
    }

    [Fact]
    public async Task Its_end_ends_the_requests_and_a_late_reply_is_a_dead_letter()
    {
        await using var system = TestSystem.Create();
        var deadLetters = new Probe();
        system.EventStream.Subscribe<DeadLetterEvent>(deadLetters.Add);
        var senders = new Probe();
        var silent = system.Root.Spawn(Keep(senders));
        var before = system.ProcessRegistry.ProcessCount;
        var batch = system.Root.CreateBatchContext(10, CancellationToken.None);
        var request = batch.RequestAsync<int>(silent, 1, CancellationToken.None);
        var sender = await senders.Next<PID>();

        batch.Dispose();

        await Assert.ThrowsAsync<TimeoutException>(() => Probe.Within(request));
        Assert.Equal(before, system.ProcessRegistry.ProcessCount);
        system.Root.Send(sender, 1);
        Assert.Equal(sender, (await deadLetters.Next<DeadLetterEvent>()).Pid);
    }

    [Fact]
    public async Task Its_token_and_that_of_a_request_end_requests_too()
    {
        await using var system = TestSystem.Create();
        var silent = system.Root.Spawn(Props.FromFunc(_ => Task.CompletedTask));
        using var ofBatch = new CancellationTokenSource();
        using var ofRequest = new CancellationTokenSource();
        using var batch = system.Root.CreateBatchContext(10, ofBatch.Token);
        var first = batch.RequestAsync<int>(silent, 1, ofRequest.Token);
        var second = batch.RequestAsync<int>(silent, 2, ofBatch.Token);

        await ofRequest.CancelAsync();
        await Assert.ThrowsAsync<TimeoutException>(() => Probe.Within(first));
        Assert.False(second.IsCompleted);

        await ofBatch.CancelAsync();
        await Assert.ThrowsAsync<TimeoutException>(() => Probe.Within(second));
    }

    [Fact]
    public async Task It_sends_through_the_middleware_and_headers_of_its_context()
    {
        await using var system = TestSystem.Create();
        var echo = system.Root.Spawn(Props.FromFunc(context =>
        {
            if (context.Message is int) context.Respond(context.Headers.GetOrDefault("a") + context.Headers.GetOrDefault("b"));
            return Task.CompletedTask;
        }));
        var root = system.Root
            .WithHeaders(MessageHeader.Empty.With("a", "1"))
            .WithSenderMiddleware(next => (context, target, envelope) => next(context, target, envelope.WithHeader("b", "2")));
        using var batch = root.CreateBatchContext(1, CancellationToken.None);

        Assert.Equal("12", await Probe.Within(batch.RequestAsync<string>(echo, 1, CancellationToken.None)));
    }

    [Fact]
    public async Task A_batch_of_nothing_is_refused()
    {
        await using var system = TestSystem.Create();
        Assert.Throws<ArgumentOutOfRangeException>(() => system.Root.CreateBatchContext(0, CancellationToken.None));
    }

    /// <summary>Tells the senders' addresses and never answers.</summary>
    private static Props Keep(Probe senders) =>
        Props.FromFunc(context =>
        {
            if (context.Sender is { } sender && context.Message is int) senders.Add(sender);
            return Task.CompletedTask;
        });
}
