using Microsoft.Extensions.Logging;

namespace Proto.Timers;

/// <summary>Sends messages later, on the system's clock. Cancelling the returned source stops it; so does the system's shutdown.</summary>
public partial class Scheduler
{
    private readonly ISenderContext _context;

    public Scheduler(ISenderContext context) => _context = context;

    public CancellationTokenSource SendOnce(TimeSpan delay, PID target, object message) =>
        Start(delay, Timeout.InfiniteTimeSpan, () => _context.Send(target, message));

    public CancellationTokenSource SendRepeatedly(TimeSpan interval, PID target, object message) =>
        SendRepeatedly(interval, interval, target, message);

    public CancellationTokenSource SendRepeatedly(TimeSpan delay, TimeSpan interval, PID target, object message) =>
        Start(delay, Positive(interval), () => _context.Send(target, message));

    /// <summary>As <see cref="SendRepeatedly(TimeSpan, TimeSpan, PID, object)"/>, with this context's process as the sender.</summary>
    public CancellationTokenSource RequestRepeatedly(TimeSpan delay, TimeSpan interval, PID target, object message) =>
        Start(delay, Positive(interval), () => _context.Request(target, message));

    private static TimeSpan Positive(TimeSpan interval)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(interval, TimeSpan.Zero);
        return interval;
    }

    private CancellationTokenSource Start(TimeSpan delay, TimeSpan interval, Action action)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(delay, TimeSpan.Zero);
        return new ScheduledAction(_context.System, delay, interval, action).Cancellation;
    }

    /// <summary>A timer that lives until it is cancelled or, without interval, has fired.</summary>
    private sealed partial class ScheduledAction
    {
        private readonly ActorSystem _system;
        private readonly Action _action;
        private readonly bool _once;
        private readonly ITimer _timer;
        private readonly CancellationTokenRegistration _shutdown;

        public ScheduledAction(ActorSystem system, TimeSpan delay, TimeSpan interval, Action action)
        {
            _system = system;
            _action = action;
            _once = interval == Timeout.InfiniteTimeSpan;
            // Created stopped: the callback must find the fields set.
            _timer = system.Config.TimeProvider.CreateTimer(
                static state => ((ScheduledAction)state!).Fire(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            Cancellation.Token.UnsafeRegister(static state => ((ScheduledAction)state!).End(), this);
            _shutdown = system.Shutdown.UnsafeRegister(static state => ((ScheduledAction)state!).End(), this);
            if (!system.Shutdown.IsCancellationRequested) _timer.Change(delay, interval);
        }

        public CancellationTokenSource Cancellation { get; } = new();

        private void Fire()
        {
            if (Cancellation.IsCancellationRequested) return;
            if (_once) End();
            try
            {
                _action();
            }
            catch (Exception reason)
            {
                // Sender middleware, or a process that takes no more. On a timer's thread there is nobody to tell, and the OS process would end.
                LogNotSent(_system.LoggerFactory.CreateLogger<Scheduler>(), _system.Address, reason);
            }
        }

        private void End()
        {
            _timer.Dispose();
            _shutdown.Unregister();
        }

        [LoggerMessage(Level = LogLevel.Error, Message = "[{Address}] A scheduled message could not be sent")]
        private static partial void LogNotSent(ILogger logger, string address, Exception reason);
    }
}

public static class TimerExtensions
{
    public static Scheduler Scheduler(this ISenderContext context) => new(context);
}
