using System.Collections.Concurrent;
using Proto.Mailbox;

namespace Proto.Actor.Tests;

public sealed class DispatcherTests
{
    [Fact]
    public async Task A_synchronization_context_runs_every_turn_and_what_follows_an_await()
    {
        using var ui = new UiThread();
        await using var system = TestSystem.Create();
        var dispatcher = await ui.Run(() => new CurrentSynchronizationContextDispatcher());
        var probe = new Probe();
        var pid = system.Root.Spawn(Props
            .FromFunc(async context =>
            {
                probe.Add(Environment.CurrentManagedThreadId);
                await Task.Yield();
                probe.Add(Environment.CurrentManagedThreadId);
                if (context.Message is "ask") context.Respond("done");
            })
            .WithDispatcher(dispatcher));

        Assert.Equal("done", await Probe.Within(system.Root.RequestAsync<string>(pid, "ask")));

        Assert.All(await probe.Take(4), thread => Assert.Equal(ui.ThreadId, thread));
    }

    [Fact]
    public void Without_a_synchronization_context_there_is_no_such_dispatcher()
    {
        var before = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(null);
        try
        {
            Assert.Throws<InvalidOperationException>(() => new CurrentSynchronizationContextDispatcher());
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(before);
        }
    }

    [Fact]
    public async Task A_mailbox_yields_after_as_many_messages_as_the_dispatcher_says()
    {
        await using var system = TestSystem.Create();
        var turns = new Counting(throughput: 10);
        var handled = new TaskCompletionSource();
        var count = 0;
        var pid = system.Root.Spawn(Props
            .FromFunc(context =>
            {
                if (context.Message is int && ++count == 100) handled.SetResult();
                return Task.CompletedTask;
            })
            .WithDispatcher(turns));

        turns.Hold();
        for (var i = 0; i < 100; i++) system.Root.Send(pid, i);
        turns.Go();
        await Probe.Within(handled.Task);

        Assert.InRange(turns.Count, 10, 12); // ten for the messages, one or two for the start
    }

    /// <summary>A thread with a loop, as of a user interface.</summary>
    private sealed class UiThread : SynchronizationContext, IDisposable
    {
        private readonly BlockingCollection<(SendOrPostCallback Callback, object? State)> _posted = [];
        private readonly Thread _thread;

        public UiThread()
        {
            _thread = new Thread(Loop) { IsBackground = true };
            _thread.Start();
        }

        public int ThreadId => _thread.ManagedThreadId;

        public override void Post(SendOrPostCallback d, object? state) => _posted.Add((d, state));

        public Task<T> Run<T>(Func<T> function)
        {
            var result = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
            Post(_ => result.SetResult(function()), null);
            return Probe.Within(result.Task);
        }

        public void Dispose() => _posted.CompleteAdding();

        private void Loop()
        {
            SetSynchronizationContext(this);
            foreach (var (callback, state) in _posted.GetConsumingEnumerable()) callback(state);
        }
    }

    private sealed class Counting(int throughput) : IDispatcher
    {
        private readonly ThreadPoolDispatcher _inner = new(throughput);
        private readonly Lock _gate = new();
        private readonly List<Func<Task>> _held = [];
        private bool _holds;
        private int _count;

        public int Throughput => throughput;

        public int Count => Volatile.Read(ref _count);

        public void Hold()
        {
            lock (_gate) _holds = true;
        }

        public void Go()
        {
            lock (_gate)
            {
                _holds = false;
                foreach (var turn in _held) _inner.Schedule(turn);
            }
        }

        public void Schedule(Func<Task> runner)
        {
            Interlocked.Increment(ref _count);
            lock (_gate)
            {
                if (_holds) _held.Add(runner);
                else _inner.Schedule(runner);
            }
        }
    }
}
