using Microsoft.Extensions.Logging;

namespace Proto;

/// <summary>Measures once a second how long a work item waits in the thread pool. Runs only when somebody wants the figure.</summary>
internal sealed partial class ThreadPoolStats : IThreadPoolWorkItem, IDisposable
{
    private static readonly TimeSpan s_period = TimeSpan.FromSeconds(1);

    private readonly ActorSystem _system;
    private readonly ILogger _logger;
    private readonly ITimer _timer;
    private long _queued;
    private int _waiting;

    public ThreadPoolStats(ActorSystem system)
    {
        _system = system;
        _logger = system.LoggerFactory.CreateLogger<ThreadPoolStats>();
        _timer = system.Config.TimeProvider.CreateTimer(static state => ((ThreadPoolStats)state!).Queue(), this, s_period, s_period);
    }

    public void Dispose() => _timer.Dispose();

    void IThreadPoolWorkItem.Execute()
    {
        var config = _system.Config;
        var waited = config.TimeProvider.GetElapsedTime(_queued);
        Volatile.Write(ref _waiting, 0);
        _system.Metrics.ThreadPoolWaited(waited);
        if (config.DeveloperThreadPoolStatsLogging && waited > config.ThreadPoolStatsTimeout) LogSlow(_logger, waited, config.ThreadPoolStatsTimeout);
    }

    private void Queue()
    {
        if (Interlocked.Exchange(ref _waiting, 1) != 0) return;

        _queued = _system.Config.TimeProvider.GetTimestamp();
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "A work item waited {Waited} in the thread pool, longer than {Limit}: threads are blocked or the machine is short of processors")]
    private static partial void LogSlow(ILogger logger, TimeSpan waited, TimeSpan limit);
}
