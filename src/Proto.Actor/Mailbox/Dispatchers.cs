namespace Proto.Mailbox;

/// <summary>Where and when mailboxes run.</summary>
public interface IDispatcher
{
    /// <summary>User messages that one mailbox may handle before others get their turn.</summary>
    int Throughput { get; }

    /// <summary>Runs the function, now or later; the task ends with the turn.</summary>
    void Schedule(Func<Task> runner);
}

public static class Dispatchers
{
    public static IDispatcher DefaultDispatcher { get; } = new ThreadPoolDispatcher();

    /// <summary>Runs on the caller's thread.</summary>
    public static IDispatcher SynchronousDispatcher { get; } = new SynchronousDispatcher();
}

/// <summary>Runs on the caller's thread. A turn that waits continues wherever what it waits for completes.</summary>
public sealed class SynchronousDispatcher : IDispatcher
{
    public SynchronousDispatcher(int throughput = 300) => Throughput = throughput;

    public int Throughput { get; }

    public void Schedule(Func<Task> runner) => _ = runner();
}

/// <summary>Runs on the thread pool.</summary>
public sealed class ThreadPoolDispatcher : IDispatcher
{
    public ThreadPoolDispatcher(int throughput = 300) => Throughput = throughput;

    public int Throughput { get; }

    public void Schedule(Func<Task> runner) =>
        ThreadPool.UnsafeQueueUserWorkItem(static run => _ = run(), runner, preferLocal: false);
}

/// <summary>Runs on the synchronization context that was current when it was made.</summary>
public sealed class CurrentSynchronizationContextDispatcher : IDispatcher
{
    private readonly SynchronizationContext _context;

    public CurrentSynchronizationContextDispatcher(int throughput = 300)
    {
        _context = SynchronizationContext.Current
            ?? throw new InvalidOperationException("there is no current synchronization context");
        Throughput = throughput;
    }

    public int Throughput { get; }

    public void Schedule(Func<Task> runner) => _context.Post(static state => _ = ((Func<Task>)state!)(), runner);
}
