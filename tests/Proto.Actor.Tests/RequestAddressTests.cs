namespace Proto.Actor.Tests;

/// <summary>A request's own address is made when somebody asks for it; an answer inside the system needs none.</summary>
public sealed class RequestAddressTests
{
    public static TheoryData<bool> Kinds => [true, false];

    [Fact]
    public async Task An_answer_inside_the_system_makes_no_address()
    {
        await using var system = Create(shared: false);
        var before = -1;
        var pid = system.Root.Spawn(Props.FromFunc(context =>
        {
            if (context.Message is "count") context.Respond(system.ProcessRegistry.ProcessCount);
            return Task.CompletedTask;
        }));
        before = system.ProcessRegistry.ProcessCount;

        Assert.Equal(before, await Probe.Within(system.Root.RequestAsync<int>(pid, "count")));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task The_sender_has_one_address_whoever_asks_and_it_answers(bool shared)
    {
        await using var system = Create(shared);
        var senders = new List<PID?>();
        var pid = system.Root.Spawn(Props.FromFunc(async context =>
        {
            if (context.Message is not "who") return;
            // From several threads at once, as middleware that captured the envelope might.
            var envelope = context.Capture().MessageEnvelope;
            senders.AddRange(await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => envelope.Sender))));
            senders.Add(context.Sender);
            context.Send(context.Sender!, "me");
        }));
        var before = system.ProcessRegistry.ProcessCount;

        for (var round = 0; round < 200; round++)
        {
            senders.Clear();
            Assert.Equal("me", await Probe.Within(system.Root.RequestAsync<string>(pid, "who")));
            Assert.Single(senders.Distinct());
        }

        Assert.Equal(before, system.ProcessRegistry.ProcessCount);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task An_address_that_is_asked_for_after_the_end_leads_to_dead_letters_and_is_not_kept(bool shared)
    {
        await using var system = Create(shared);
        var deadLetters = new Probe();
        system.EventStream.Subscribe<DeadLetterEvent>(deadLetters.Add);
        var late = new TaskCompletionSource<MessageEnvelope>(TaskCreationOptions.RunContinuationsAsynchronously);
        var pid = system.Root.Spawn(Props.FromFunc(context =>
        {
            if (context.Message is "keep") late.SetResult(context.Capture().MessageEnvelope);
            return Task.CompletedTask;
        }));
        using var cancellation = new CancellationTokenSource();
        var request = system.Root.RequestAsync<string>(pid, "keep", cancellation.Token);
        var envelope = await Probe.Within(late.Task);
        var before = system.ProcessRegistry.ProcessCount;
        cancellation.Cancel();
        await Assert.ThrowsAsync<TimeoutException>(() => Probe.Within(request));

        // Another request may have the slot by now; the late answer must not reach it.
        using var other = system.Root.GetFuture();
        system.Root.Send(envelope.Sender!, "late");

        Assert.Equal("late", (await deadLetters.Next<DeadLetterEvent>()).Message);
        Assert.False(other.Task.IsCompleted);
        other.Dispose();
        Assert.Equal(before, system.ProcessRegistry.ProcessCount);
    }

    [Fact]
    public async Task A_forwarded_request_is_answered_by_whoever_it_was_forwarded_to()
    {
        await using var system = Create(shared: true);
        var second = system.Root.Spawn(Props.FromFunc(context =>
        {
            if (context.Message is int number) context.Respond(number + 1);
            return Task.CompletedTask;
        }));
        var first = system.Root.Spawn(Props.FromFunc(context =>
        {
            if (context.Message is int) context.Forward(second);
            return Task.CompletedTask;
        }));

        Assert.Equal(8, await Probe.Within(system.Root.RequestAsync<int>(first, 7)));
    }

    [Fact]
    public async Task The_second_answer_to_a_request_is_a_dead_letter()
    {
        await using var system = Create(shared: true);
        var deadLetters = new Probe();
        system.EventStream.Subscribe<DeadLetterEvent>(deadLetters.Add);
        var pid = system.Root.Spawn(Props.FromFunc(context =>
        {
            if (context.Message is not "twice") return Task.CompletedTask;
            context.Respond("first");
            context.Respond("second");
            return Task.CompletedTask;
        }));

        Assert.Equal("first", await Probe.Within(system.Root.RequestAsync<string>(pid, "twice")));
        Assert.Equal("second", (await deadLetters.Next<DeadLetterEvent>()).Message);
    }

    private static ActorSystem Create(bool shared) => TestSystem.Create(config => config with { SharedFutures = shared });
}
