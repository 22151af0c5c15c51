using Proto.Mailbox;

namespace Proto;

/// <summary>The default runtime: work runs on the thread pool or wherever a dispatcher says, ids and random numbers are unpredictable.</summary>
public sealed class ThreadPoolRuntime : ISystemRuntime
{
    private ThreadPoolRuntime() { }

    public static ThreadPoolRuntime Instance { get; } = new();

    public IDispatcher DispatcherFor(IDispatcher wanted, PID? owner) => wanted;

    public IMessageInvoker Observe(PID actor, IMessageInvoker invoker) => invoker;

    public Task Run(Func<Task> work) => Task.Run(work);

    public Guid NewGuid() => Guid.NewGuid();

    public double NextDouble() => Random.Shared.NextDouble();
}
