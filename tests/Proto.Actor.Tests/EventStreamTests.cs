using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace Proto.Actor.Tests;

public sealed class EventStreamTests
{
    [Fact]
    public void Subscribers_get_what_they_asked_for_in_the_order_of_subscription()
    {
        var stream = new EventStream();
        var seen = new List<string>();
        stream.Subscribe(message => seen.Add($"all {message}"));
        stream.Subscribe<int>(number => seen.Add($"int {number}"));
        stream.Subscribe<int>(number => number > 1, number => seen.Add($"large {number}"));
        stream.Subscribe<string>(text =>
        {
            seen.Add($"async {text}");
            return Task.CompletedTask;
        });

        stream.Publish(1);
        stream.Publish(2);
        stream.Publish("x");

        Assert.Equal(["all 1", "int 1", "all 2", "int 2", "large 2", "all x", "async x"], seen);
    }

    [Fact]
    public void An_ended_subscription_gets_nothing()
    {
        var stream = new EventStream<int>();
        var seen = new List<int>();
        var byItself = stream.Subscribe(seen.Add);
        var byStream = stream.Subscribe(seen.Add);
        var byId = stream.Subscribe(seen.Add);
        byItself.Unsubscribe();
        stream.Unsubscribe(byStream);
        stream.Unsubscribe(byId.Id);
        stream.Unsubscribe(null);

        stream.Publish(1);

        Assert.Empty(seen);
    }

    [Fact]
    public async Task Channels_and_processes_can_subscribe()
    {
        await using var system = TestSystem.Create();
        var all = Channel.CreateUnbounded<object>();
        var numbers = Channel.CreateUnbounded<int>();
        var probe = new Probe();
        var pid = system.Root.Spawn(Props.FromFunc(context =>
        {
            if (context.Message is int number) probe.Add(number);
            return Task.CompletedTask;
        }));
        system.EventStream.Subscribe(all);
        system.EventStream.Subscribe(numbers);
        system.EventStream.Subscribe<int>(system.Root, pid);

        system.EventStream.Publish("text");
        system.EventStream.Publish(5);

        Assert.Equal("text", await Probe.Within(all.Reader.ReadAsync().AsTask()));
        Assert.Equal(5, await Probe.Within(all.Reader.ReadAsync().AsTask()));
        Assert.Equal(5, await Probe.Within(numbers.Reader.ReadAsync().AsTask()));
        Assert.Equal(5, await probe.Next());
    }

    [Fact]
    public async Task A_subscriber_that_throws_is_reported_and_hinders_nobody()
    {
        var log = new RecordingLogger();
        await using var system = new ActorSystem(ActorSystemConfig.Setup().WithLoggerFactory(log));
        var seen = new List<object>();
        system.EventStream.Subscribe<int>((Action<int>)(_ => throw new InvalidOperationException("broken subscriber")));
        system.EventStream.Subscribe<int>((Func<int, Task>)(_ => Task.FromException(new InvalidOperationException("broken subscriber"))));
        system.EventStream.Subscribe<int>(number => seen.Add(number));

        system.EventStream.Publish(1);

        Assert.Equal([1], seen);
        Assert.Equal(2, log.Errors.Count(error => error.Contains("broken subscriber", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_dispatcher_takes_the_subscriber_off_the_publishers_thread()
    {
        var stream = new EventStream<int>();
        var gate = new ManualResetEventSlim();
        var probe = new Probe();
        stream.Subscribe(
            number =>
            {
                gate.Wait(TimeSpan.FromSeconds(30));
                probe.Add(number);
            },
            Mailbox.Dispatchers.DefaultDispatcher);

        stream.Publish(1); // would wait for the gate on this thread
        gate.Set();

        Assert.Equal(1, await probe.Next());
    }

    private sealed class RecordingLogger : ILoggerFactory, ILogger
    {
        public List<string> Errors { get; } = [];

        public ILogger CreateLogger(string categoryName) => this;

        public void AddProvider(ILoggerProvider provider) { }

        public void Dispose() { }

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (logLevel >= LogLevel.Error) Errors.Add($"{formatter(state, exception)} {exception?.Message}");
        }
    }
}
