using Proto.Mailbox;

namespace Proto.Actor.Tests;

public class RuntimeTests
{
    [Fact]
    public async Task The_runtime_decides_where_turns_run_and_sees_every_message_of_an_actor()
    {
        var runtime = new RecordingRuntime();
        await using var system = TestSystem.Create(config => config.WithRuntime(runtime));

        var pid = system.Root.SpawnNamed(Props.FromFunc(context =>
        {
            if (context.Message is string) context.Respond("pong");
            return Task.CompletedTask;
        }), "player");
        Assert.Equal("pong", await system.Root.RequestAsync<string>(pid, "ping"));

        Assert.Contains("player", runtime.Scheduled);
        Assert.Equal(["Started", "String"], runtime.Handled);
    }

    [Fact]
    public async Task Ids_of_the_system_and_of_subscriptions_come_from_the_runtime()
    {
        var runtime = new RecordingRuntime();
        await using var system = TestSystem.Create(config => config.WithRuntime(runtime));

        var subscription = system.EventStream.Subscribe<string>(_ => { });

        Assert.Equal("00000001000000000000000000000000", system.Id);
        Assert.Equal(new Guid(2, 0, 0, new byte[8]), subscription.Id);
    }

    [Fact]
    public async Task A_message_that_does_not_fit_is_refused_although_a_runtime_stands_between()
    {
        var runtime = new RecordingRuntime();
        await using var system = TestSystem.Create(config => config.WithRuntime(runtime));
        var entered = new TaskCompletionSource();
        var gate = new TaskCompletionSource();
        var pid = system.Root.Spawn(Props.FromFunc(context =>
        {
            if (context.Message is not string) return Task.CompletedTask;
            entered.TrySetResult();
            return gate.Task;
        }).WithMailbox(() => BoundedMailbox.Create(1)));
        system.Root.Send(pid, "is handled");
        await entered.Task;
        system.Root.Send(pid, "waits");

        await Assert.ThrowsAsync<DeadLetterException>(() => system.Root.RequestAsync<object>(pid, "does not fit"));
        gate.SetResult();
    }

    [Fact]
    public async Task Processes_are_found_in_the_order_of_their_ids()
    {
        await using var system = TestSystem.Create();
        foreach (var name in new[] { "q/7", "q/2", "q/9", "q/1", "q/5", "q/3" }) system.Root.SpawnNamed(Props.FromFunc(_ => Task.CompletedTask), name);

        Assert.Equal(["q/1", "q/2", "q/3", "q/5", "q/7", "q/9"], system.ProcessRegistry.Find("q/").Select(pid => pid.Id));
    }

    [Fact]
    public void A_header_is_in_the_order_of_its_keys()
    {
        var header = MessageHeader.Empty.With("trace", "1").With("baggage", "2").With("span", "3");

        Assert.Equal(["baggage", "span", "trace"], header.Keys);
    }

    private sealed class RecordingRuntime : ISystemRuntime
    {
        private int _lastId;

        public List<string> Scheduled { get; } = [];

        public List<string> Handled { get; } = [];

        public IDispatcher DispatcherFor(IDispatcher wanted, PID? owner) => owner is null ? wanted : new Recorder(this, wanted, owner.Id);

        public IMessageInvoker Observe(PID actor, IMessageInvoker invoker) => new Observer(this, invoker);

        public Task Run(Func<Task> work) => Task.Run(work);

        public Guid NewGuid() => new(Interlocked.Increment(ref _lastId), 0, 0, new byte[8]);

        public double NextDouble() => 0;

        private sealed class Recorder(RecordingRuntime runtime, IDispatcher inner, string owner) : IDispatcher
        {
            public int Throughput => inner.Throughput;

            public void Schedule(Func<Task> runner)
            {
                lock (runtime.Scheduled) runtime.Scheduled.Add(owner);
                inner.Schedule(runner);
            }
        }

        private sealed class Observer(RecordingRuntime runtime, IMessageInvoker inner) : IMessageInvoker
        {
            public ValueTask InvokeSystemMessageAsync(SystemMessage msg)
            {
                Handled(msg);
                return inner.InvokeSystemMessageAsync(msg);
            }

            public ValueTask InvokeUserMessageAsync(object msg)
            {
                Handled(msg);
                return inner.InvokeUserMessageAsync(msg);
            }

            public void EscalateFailure(Exception reason, object? message) => inner.EscalateFailure(reason, message);

            private void Handled(object msg)
            {
                lock (runtime.Handled) runtime.Handled.Add(MessageEnvelope.UnwrapMessage(msg)!.GetType().Name);
            }
        }
    }
}
