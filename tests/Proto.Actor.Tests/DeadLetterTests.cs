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
    public async Task A_request_to_an_actor_that_could_not_be_made_ends_with_the_cause()
    {
        var time = new ManualTime();
        await using var system = TestSystem.Create(config => config.WithTimeProvider(time));
        var never = new OneForOneStrategy((_, _) => SupervisorDirective.Stop, 0, null);
        var entered = new TaskCompletionSource();
        var gate = new TaskCompletionSource();
        var pid = system.Root.Spawn(Props
            .FromFunc(async context =>
            {
                if (context.Message is not Started) return;
                entered.SetResult();
                await gate.Task;
                throw new FormatException("the configuration is broken");
            })
            .WithGuardianSupervisorStrategy(never));
        await Probe.Within(entered.Task);
        var request = system.Root.RequestAsync<int>(pid, 1, CancellationToken.None);
        gate.SetResult();

        var reason = await Assert.ThrowsAsync<DeadLetterException>(() => Probe.Within(request));

        Assert.Contains("System.FormatException: the configuration is broken", reason.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_actor_that_was_stopped_on_purpose_has_no_cause_of_earlier_failures()
    {
        await using var system = TestSystem.Create();
        var letters = new Probe();
        system.EventStream.Subscribe<DeadLetterEvent>(letters.Add);
        var entered = new TaskCompletionSource();
        var gate = new TaskCompletionSource();
        var pid = system.Root.Spawn(Props.FromFunc(async context =>
        {
            if (context.Message is "fail") throw new FormatException("transient");
            if (context.Message is not "wait") return;
            entered.SetResult();
            await gate.Task;
        }));
        system.Root.Send(pid, "fail");
        system.Root.Send(pid, "wait");
        await Probe.Within(entered.Task);

        system.Root.Send(pid, "queued");
        system.Root.Stop(pid);
        gate.SetResult();

        Assert.Null((await letters.Next<DeadLetterEvent>()).Reason);
    }

    private sealed class RecordingProcess(ActorSystem system, Probe probe) : Process(system)
    {
        protected override void SendUserMessage(PID pid, object message) => probe.Add((pid.ToDiagnosticString(), (string)message));

        protected override void SendSystemMessage(PID pid, SystemMessage message) =>
            probe.Add((pid.ToDiagnosticString(), message.GetType().Name));
    }
}
