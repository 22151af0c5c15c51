namespace Proto;

/// <summary>The future that <see cref="ISenderContext.GetFuture"/> gives out.</summary>
internal sealed class ObjectFuture : IFuture, IFutureSlot
{
    private readonly TaskCompletionSource<object> _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ActorSystem _system;
    private readonly IFutureProcess _process;

    public ObjectFuture(ActorSystem system)
    {
        _system = system;
        (Pid, _process) = FutureAddress.Create(system, this);
    }

    public PID Pid { get; }

    public Task<object> Task => _completion.Task;

    public async Task<object> GetTask(CancellationToken cancellationToken)
    {
        await using var registration = cancellationToken.UnsafeRegister(static state => ((ObjectFuture)state!).TimeOut(), this);
        return await Task;
    }

    public void Reply(object message)
    {
        _system.Metrics.FutureCompleted();
        _completion.TrySetResult(message);
    }

    public void Abandon(Exception reason) => _completion.TrySetException(reason);

    public void Dispose()
    {
        if (_process.TryTake(Pid, this)) _completion.TrySetCanceled();
    }

    private void TimeOut()
    {
        if (!_process.TryTake(Pid, this)) return;

        _system.Metrics.FutureTimedOut();
        _completion.TrySetException(new TimeoutException("no message came before the future's token was cancelled"));
    }
}
