namespace Proto;

/// <summary>Runs an action once, later. Keeps itself alive until then.</summary>
internal sealed class OneShotTimer : IDisposable
{
    private readonly Action _action;
    private ITimer? _timer;

    private OneShotTimer(Action action) => _action = action;

    public static OneShotTimer Start(TimeProvider time, TimeSpan delay, Action action)
    {
        var shot = new OneShotTimer(action);
        // Created stopped: the callback must find the field set.
        shot._timer = time.CreateTimer(static state => ((OneShotTimer)state!).Fire(), shot, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        shot._timer.Change(delay, Timeout.InfiniteTimeSpan);
        return shot;
    }

    public void Dispose() => _timer?.Dispose();

    private void Fire()
    {
        Dispose();
        _action();
    }
}
