namespace Proto.Actor.Tests;

public sealed class DeadLetterTests
{
    [Fact]
    public async Task A_message_to_nobody_is_published_with_target_sender_and_header()
    {
        await using var system = TestSystem.Create();
        var probe = new Probe();
        system.EventStream.Subscribe<DeadLetterEvent>(probe.Add);
        var nobody = new PID(system.Address, "nobody");
        var sender = system.Root.Spawn(Props.FromFunc(context =>
        {
            if (context.Message is DeadLetterResponse response) probe.Add(response);
            return Task.CompletedTask;
        }));

        system.Root.WithHeaders(MessageHeader.Empty.With("key", "value")).Request(nobody, "hello", sender);

        var letter = await probe.Next<DeadLetterEvent>();
        Assert.Equal((nobody, "hello", sender), (letter.Pid, letter.Message, letter.Sender));
        Assert.Equal("value", letter.Header!["key"]);
        Assert.Equal(nobody, (await probe.Next<DeadLetterResponse>()).Target);
    }

    [Fact]
    public async Task A_message_to_a_system_that_nobody_resolves_is_a_dead_letter()
    {
        await using var system = TestSystem.Create();

        await Assert.ThrowsAsync<DeadLetterException>(
            () => Probe.Within(system.Root.RequestAsync<int>(new PID("elsewhere:1", "actor"), 1)));
    }

    [Fact]
    public async Task A_host_resolver_and_a_named_process_take_messages()
    {
        await using var system = TestSystem.Create();
        var probe = new Probe();
        var remote = new RecordingProcess(system, probe);
        system.ProcessRegistry.RegisterHostResolver(pid => pid.Address == "elsewhere:1" ? remote : null);
        var (named, added) = system.ProcessRegistry.TryAdd("$named", remote);
        Assert.True(added);
        Assert.False(system.ProcessRegistry.TryAdd("$named", remote).ok);

        system.Root.Send(new PID("elsewhere:1", "actor"), "user");
        system.Root.Stop(new PID("elsewhere:1", "actor"));
        system.Root.Send(named, "by name");

        Assert.Equal(
            [("elsewhere:1/actor", "user"), ("elsewhere:1/actor", "Stop"), ("nonhost/$named", "by name")],
            (await probe.Take(3)).Cast<(string, string)>());
    }

    [Fact]
    public async Task Pids_from_before_the_address_was_set_stay_local()
    {
        await using var system = TestSystem.Create();
        var before = system.Root.Spawn(Props.FromFunc(_ => Task.CompletedTask));

        system.SetAddress("127.0.0.1", 4711);

        Assert.Equal("127.0.0.1:4711", system.Address);
        Assert.Equal(("127.0.0.1", 4711), system.GetAddress());
        Assert.NotNull(await Probe.Within(system.Root.RequestAsync<Touched>(new PID("nonhost", before.Id), Touch.Instance)));
        Assert.NotNull(await Probe.Within(system.Root.RequestAsync<Touched>(new PID(system.Address, before.Id), Touch.Instance)));
    }

    [Fact]
    public async Task A_full_bounded_mailbox_refuses_to_dead_letters()
    {
        await using var system = TestSystem.Create();
        var deadLetters = new Probe();
        system.EventStream.Subscribe<DeadLetterEvent>(deadLetters.Add);
        var entered = new TaskCompletionSource();
        var gate = new TaskCompletionSource();
        var handled = new List<int>();
        var pid = system.Root.Spawn(Props.FromFunc(async context =>
        {
            if (context.Message is not int number) return;

            entered.TrySetResult();
            await gate.Task;
            handled.Add(number);
        }).WithMailbox(() => Mailbox.BoundedMailbox.Create(2)));
        system.Root.Send(pid, 0);
        await Probe.Within(entered.Task); // it is out of the queue now

        for (var i = 1; i <= 4; i++) system.Root.Send(pid, i);
        await Assert.ThrowsAsync<DeadLetterException>(() => Probe.Within(system.Root.RequestAsync<int>(pid, 5)));
        gate.SetResult();

        Assert.Equal([3, 4, 5], (await deadLetters.Take(3)).Cast<DeadLetterEvent>().Select(letter => (int)letter.Message));
        await Probe.Within(system.Root.StopAsync(pid));
    }

    private sealed class RecordingProcess(ActorSystem system, Probe probe) : Process(system)
    {
        protected override void SendUserMessage(PID pid, object message) => probe.Add((pid.ToDiagnosticString(), (string)message));

        protected override void SendSystemMessage(PID pid, SystemMessage message) =>
            probe.Add((pid.ToDiagnosticString(), message.GetType().Name));
    }
}
