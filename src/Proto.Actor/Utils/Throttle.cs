namespace Proto.Utils;

/// <summary>Counts an event, and tells whether it may pass.</summary>
public delegate Throttle.Valve ShouldThrottle();

/// <summary>Lets a limited number of events through per period.</summary>
public static class Throttle
{
    public enum Valve
    {
        Open,

        /// <summary>This is the last event of the period that passes.</summary>
        Closing,
        Closed,
    }

    /// <param name="maxEventsInPeriod">Events that pass per period.</param>
    /// <param name="period">Begins with the first event after the previous period.</param>
    /// <param name="throttledCallBack">Told at the end of a period how many events did not pass; not called when all did.</param>
    /// <param name="timeProvider">The clock; null: the machine's.</param>
    public static ShouldThrottle Create(
        int maxEventsInPeriod, TimeSpan period, Action<int>? throttledCallBack = null, TimeProvider? timeProvider = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxEventsInPeriod, 1);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(period, TimeSpan.Zero);
        return new Gate(maxEventsInPeriod, period, throttledCallBack, timeProvider ?? TimeProvider.System).Enter;
    }

    /// <inheritdoc cref="Create(int, TimeSpan, Action{int}?, TimeProvider?)"/>
    public static ShouldThrottle Create(this ThrottleOptions options, Action<int>? throttledCallBack = null, TimeProvider? timeProvider = null) =>
        Create(options.MaxEventsInPeriod, options.Period, throttledCallBack, timeProvider);

    public static bool IsOpen(this Valve valve) => valve != Valve.Closed;

    private sealed class Gate(int limit, TimeSpan period, Action<int>? told, TimeProvider time)
    {
        private int _events;

        public Valve Enter()
        {
            var number = Interlocked.Increment(ref _events);
            if (number == 1) OneShotTimer.Start(time, period, EndPeriod);
            return number < limit ? Valve.Open : number == limit ? Valve.Closing : Valve.Closed;
        }

        private void EndPeriod()
        {
            var events = Interlocked.Exchange(ref _events, 0);
            if (events > limit) told?.Invoke(events - limit);
        }
    }
}

/// <summary>See <see cref="Throttle"/>.</summary>
public sealed record ThrottleOptions(int MaxEventsInPeriod, TimeSpan Period);
