using System.Threading.Channels;

namespace Proto.Actor.Tests;

/// <summary>Collects what actors tell; the test waits for entries. A wait that takes this long means that the entry never comes.</summary>
internal sealed class Probe
{
    private static readonly TimeSpan s_never = TimeSpan.FromSeconds(30);

    private readonly Channel<object> _entries = Channel.CreateUnbounded<object>();

    public static Task<T> Within<T>(Task<T> task) => task.WaitAsync(s_never);

    public static Task Within(Task task) => task.WaitAsync(s_never);

    public void Add(object entry) => _entries.Writer.TryWrite(entry);

    public async Task<object> Next() => await _entries.Reader.ReadAsync().AsTask().WaitAsync(s_never);

    public async Task<T> Next<T>()
    {
        while (true)
        {
            if (await Next() is T entry) return entry;
        }
    }

    public async Task<List<object>> Take(int count)
    {
        var taken = new List<object>();
        while (taken.Count < count) taken.Add(await Next());
        return taken;
    }

    /// <summary>What is there now.</summary>
    public List<object> Drain()
    {
        var taken = new List<object>();
        while (_entries.Reader.TryRead(out var entry)) taken.Add(entry);
        return taken;
    }
}

internal static class TestSystem
{
    /// <summary>A system whose expected failures do not litter the test output.</summary>
    public static ActorSystem Create(Func<ActorSystemConfig, ActorSystemConfig>? configure = null)
    {
        var config = ActorSystemConfig.Setup().WithLoggerFactory(Microsoft.Extensions.Logging.Abstractions.NullLoggerFactory.Instance);
        return new ActorSystem(configure is null ? config : configure(config));
    }
}

/// <summary>A clock that only the test moves.</summary>
internal sealed class ManualTime : TimeProvider
{
    private readonly Lock _gate = new();
    private readonly List<ManualTimer> _timers = [];
    private TaskCompletionSource _timerSet = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private DateTimeOffset _now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Timers that are set.</summary>
    public int TimerCount
    {
        get
        {
            lock (_gate) return _timers.Count;
        }
    }

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow()
    {
        lock (_gate) return _now;
    }

    public override long GetTimestamp() => GetUtcNow().Ticks;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new ManualTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Moves the clock from timer to timer; each fires on the caller's thread at its own time.</summary>
    public void Advance(TimeSpan by)
    {
        var end = GetUtcNow() + by;
        while (true)
        {
            ManualTimer? next;
            lock (_gate)
            {
                next = _timers.Where(timer => timer.Due <= end).MinBy(timer => timer.Due);
                if (next is null)
                {
                    _now = end;
                    return;
                }

                if (next.Due > _now) _now = next.Due.Value;
                next.Due = next.Period > TimeSpan.Zero ? _now + next.Period : null;
                if (next.Due is null) _timers.Remove(next);
            }

            next.Fire();
        }
    }

    /// <summary>Waits until a timer is set, then moves the clock exactly to the earliest one.</summary>
    public async Task FireNext()
    {
        while (true)
        {
            Task set;
            TimeSpan? wait;
            lock (_gate)
            {
                if (_timerSet.Task.IsCompleted) _timerSet = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                set = _timerSet.Task;
                wait = _timers.Min(timer => timer.Due) - _now;
            }

            if (wait is { } delay)
            {
                Advance(delay);
                return;
            }

            await Probe.Within(set);
        }
    }

    private sealed class ManualTimer(ManualTime time, TimerCallback callback, object? state) : ITimer
    {
        public DateTimeOffset? Due { get; set; }

        public TimeSpan Period { get; private set; }

        public void Fire() => callback(state);

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (time._gate)
            {
                time._timers.Remove(this);
                Due = dueTime < TimeSpan.Zero ? null : time._now + dueTime;
                Period = period;
                if (Due is not null)
                {
                    time._timers.Add(this);
                    time._timerSet.TrySetResult();
                }

                return true;
            }
        }

        public void Dispose()
        {
            lock (time._gate) time._timers.Remove(this);
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return default;
        }
    }
}
