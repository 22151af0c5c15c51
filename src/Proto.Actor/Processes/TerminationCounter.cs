namespace Proto;

/// <summary>Waits for the end of many processes with one address.</summary>
internal sealed class TerminationCounter : Process
{
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly PID _pid;
    private int _left;

    public TerminationCounter(ActorSystem system, int count) : base(system)
    {
        _left = count;
        _pid = system.ProcessRegistry.TryAdd(system.ProcessRegistry.NextId(), this).pid;
        if (count == 0) Finish();
    }

    public Task Done => _done.Task;

    public void StopAndCount(PID pid)
    {
        pid.SendSystemMessage(System, new Watch(_pid));
        pid.Stop(System);
    }

    /// <summary>Gives the address back; terminations after this are not counted.</summary>
    public void Finish()
    {
        System.ProcessRegistry.Remove(_pid);
        _done.TrySetResult();
    }

    protected internal override void SendUserMessage(PID pid, object message) => System.DeadLetter.SendUserMessage(pid, message);

    protected internal override void SendSystemMessage(PID pid, SystemMessage message)
    {
        if (message is Terminated && Interlocked.Decrement(ref _left) == 0) Finish();
    }
}
