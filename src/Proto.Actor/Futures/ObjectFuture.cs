namespace Proto;

/// <summary>The future that <see cref="ISenderContext.GetFuture"/> gives out.</summary>
internal sealed class ObjectFuture : IFuture, IFutureSlot
{
    private readonly TaskCompletionSource<object> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ActorSystem _system;
    private int _ended;

    public ObjectFuture(ActorSystem system)
    {
        _system = system;
        Task = system.UsesThreadPool ? _completion.Task : _completion.Task.OnThisContext();
        system.Metrics.FutureStarted();
        Pid = FutureAddress.Create(system, this);
    }

    public PID Pid { get; }

    public Task<object> Task { get; }

    public async Task<object> GetTask(CancellationToken cancellationToken)
    {
        await using var registration = cancellationToken.UnsafeRegister(static state => ((ObjectFuture)state!).TimeOut(), this);
        return await Task;
    }

    public bool TryReply(object message)
    {
        if (!TryEnd()) return false;

        _system.Metrics.FutureCompleted();
        _completion.SetResult(message);
        return true;
    }

    public bool TryAbandon(Exception reason)
    {
        if (!TryEnd()) return false;

        _completion.SetException(reason);
        return true;
    }

    public void Dispose()
    {
        if (TryEnd()) _completion.SetCanceled();
    }

    private void TimeOut()
    {
        if (!TryEnd()) return;

        _system.Metrics.FutureTimedOut();
        _completion.SetException(new TimeoutException("no message came before the future's token was cancelled"));
    }

    private bool TryEnd()
    {
        if (Interlocked.Exchange(ref _ended, 1) != 0) return false;

        FutureAddress.Release(_system, Pid, this);
        return true;
    }
}
