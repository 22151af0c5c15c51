using Proto.Mailbox;

namespace Proto;

/// <summary>
/// Where the work of an actor system runs, and where its ids and random numbers come from. The default is the thread pool and unpredictable
/// ones; another runtime can drive the same code on one thread, the same way every time. An addition of this implementation.
/// </summary>
public interface ISystemRuntime
{
    /// <summary>The dispatcher to use for work that asked for <paramref name="wanted"/>. Called once per mailbox and subscription.</summary>
    /// <param name="wanted">What the Props or the subscriber named.</param>
    /// <param name="owner">The actor whose turns it will run; null for a subscription of the event stream.</param>
    IDispatcher DispatcherFor(IDispatcher wanted, PID? owner);

    /// <summary>Stands between a mailbox and its actor. Called once per mailbox, with what handles the actor's messages.</summary>
    IMessageInvoker Observe(PID actor, IMessageInvoker invoker);

    /// <summary>Runs work apart from the caller: never within this call. The task ends with the work.</summary>
    Task Run(Func<Task> work);

    /// <summary>An identifier that no other call returns.</summary>
    Guid NewGuid();

    /// <summary>A random number, at least 0 and less than 1, for choices that shall differ between systems (jitter).</summary>
    double NextDouble();
}
