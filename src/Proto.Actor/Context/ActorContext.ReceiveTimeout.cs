namespace Proto;

internal sealed partial class ActorContext
{
    public TimeSpan ReceiveTimeout => _extras?.ReceiveTimeout ?? TimeSpan.Zero;

    public void SetReceiveTimeout(TimeSpan duration)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(duration, TimeSpan.Zero);
        var extras = EnsureExtras();
        if (extras.ReceiveTimer is not null && extras.ReceiveTimeout == duration) return;

        CancelReceiveTimeout();
        var time = System.Config.TimeProvider;
        extras.ReceiveTimeout = duration;
        extras.LastReceived = time.GetTimestamp();
        extras.ReceiveTimer = time.CreateTimer(
            static state => ((ActorContext)state!)._mailbox.PostSystemMessage(ReceiveTimerFired.Instance), this, duration, Timeout.InfiniteTimeSpan);
    }

    public void CancelReceiveTimeout()
    {
        if (_extras?.ReceiveTimer is not { } timer) return;

        timer.Dispose();
        _extras.ReceiveTimer = null;
        _extras.ReceiveTimeout = TimeSpan.Zero;
    }

    /// <summary>The timer is not touched by every message; when it fires, it is set anew for what is missing.</summary>
    private ValueTask ReceiveTimerElapsed()
    {
        // Cancelled, or of an earlier setting.
        if (_extras is not { ReceiveTimer: { } timer } extras || _state != ContextState.Alive) return default;

        var idle = System.Config.TimeProvider.GetElapsedTime(extras.LastReceived);
        var missing = extras.ReceiveTimeout - idle;
        if (missing <= TimeSpan.Zero && (_awaitsDecision || _mailbox.UserMessageCount > 0)) missing = extras.ReceiveTimeout;
        if (missing > TimeSpan.Zero)
        {
            timer.Change(missing, Timeout.InfiniteTimeSpan);
            return default;
        }

        CancelReceiveTimeout();
        return Finish(Handle(Proto.ReceiveTimeout.Instance));
    }
}
