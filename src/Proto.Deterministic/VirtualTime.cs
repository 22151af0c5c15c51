namespace Proto.Deterministic;

/// <summary>A node's clock and timers. Time stands still while anything can run, and then jumps to what is due next.</summary>
sealed class VirtualTime(Node node) : TimeProvider
{
    // Not zero: some code takes a timestamp of 0 for "never".
    static readonly TimeSpan Origin = TimeSpan.FromHours(1);
    static readonly DateTimeOffset Epoch = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    public override long GetTimestamp() => (Origin + Now()).Ticks;

    public override DateTimeOffset GetUtcNow() => Epoch + Now();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        node.World.CheckThread("a timer was made");
        var timer = new VirtualTimer(node, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    TimeSpan Now()
    {
        node.World.CheckThread("the clock was read");
        return node.World.Now;
    }
}

sealed class VirtualTimer : ITimer
{
    readonly Node _node;
    readonly TimerCallback _callback;
    readonly object? _state;
    readonly string _name;
    Agenda.Entry? _entry;
    TimeSpan _period;
    bool _disposed;

    public VirtualTimer(Node node, TimerCallback callback, object? state)
    {
        _node = node;
        _callback = callback;
        _state = state;
        _name = WorkNames.Of(callback);
    }

    public bool Change(TimeSpan dueTime, TimeSpan period)
    {
        _node.World.CheckThread("a timer was changed");
        if (_disposed) return false;
        Disarm();
        _period = period;
        if (dueTime != Timeout.InfiniteTimeSpan) Arm(dueTime);
        return true;
    }

    public void Dispose()
    {
        _node.World.CheckThread("a timer was disposed");
        _disposed = true;
        Disarm();
    }

    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }

    void Arm(TimeSpan after) => _entry = _node.World.After(after, new WorkItem(_node, "timer", _name, static entry => ((VirtualTimer)entry!).Fire(), this));

    void Disarm()
    {
        if (_entry is not null) _entry.Cancelled = true;
        _entry = null;
    }

    void Fire()
    {
        // Changed or disposed by what ran at the same time.
        if (_entry is null || _entry.Due > _node.World.Now) return;
        _entry = null;
        if (_period > TimeSpan.Zero) Arm(_period);
        _callback(_state);
    }
}
