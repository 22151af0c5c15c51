namespace Proto.Mailbox;

/// <summary>
/// Runs an actor's turns. At most one thread at a time is between <see cref="Claim"/> and <see cref="Release"/>; it owns the consumer side of
/// both queues. The mailbox is its own thread-pool work item, and a handler that waits leaves the thread to others.
/// </summary>
internal class DefaultMailbox<TQueue> : IMailbox, IEngineMailbox, IThreadPoolWorkItem where TQueue : struct, IMessageQueue
{
    private const int Idle = 0;
    private const int Busy = 1;

    // True while this thread is inside some mailbox's turn.
    [ThreadStatic]
    private static bool s_inTurn;

    private readonly IMailboxStatistics[]? _statistics;
    private protected TQueue Queue;
    private protected IMessageInvoker? Invoker;
    private IDispatcher? _dispatcher;
    private MailboxTrimmer? _trimmer;
    private SystemNode? _systemPosted; // newest first, shared
    private SystemNode? _systemTaken; // oldest first, the owner's
    private Task? _pending; // the handler that the turn waits for
    private object? _pendingMessage;
    private Action? _resume;
    private int _status = Busy; // until Start
    private int _budget;
    private bool _suspended;
    private bool _waitsForTrim;

    public DefaultMailbox(TQueue queue, IMailboxStatistics[]? statistics = null)
    {
        Queue = queue;
        _statistics = statistics is { Length: > 0 } ? statistics : null;
    }

    public int UserMessageCount => Queue.Count;

    public virtual void Attach(ActorSystem system, string id) => _trimmer = system.MailboxTrimmer;

    public bool TryTrim()
    {
        if (Volatile.Read(ref _status) != Idle || !Claim()) return false;

        Queue.Trim();
        _resume = null;
        _waitsForTrim = false;
        Release();
        return true;
    }

    public void PostUserMessage(object msg)
    {
        if (_statistics is not null) Posted(msg);
        if (!Queue.TryEnqueue(msg))
        {
            Refused(msg);
            return;
        }

        // The message must be visible before the status is read: Release writes the status before it looks at the queue.
        Interlocked.MemoryBarrier();
        Schedule();
    }

    public void PostSystemMessage(SystemMessage msg)
    {
        if (_statistics is not null) Posted(msg);
        var node = new SystemNode(msg);
        SystemNode? newest;
        do
        {
            newest = Volatile.Read(ref _systemPosted);
            node.Next = newest;
        }
        while (Interlocked.CompareExchange(ref _systemPosted, node, newest) != newest);
        Schedule();
    }

    public void RegisterHandlers(IMessageInvoker invoker, IDispatcher dispatcher)
    {
        Invoker = invoker;
        _dispatcher = dispatcher;
    }

    public void Start()
    {
        if (_statistics is not null)
        {
            foreach (var statistics in _statistics) statistics.MailboxStarted();
        }

        _budget = _dispatcher!.Throughput;
        Release();
    }

    /// <summary>The thread pool runs a turn, or goes on with one whose handler has completed.</summary>
    void IThreadPoolWorkItem.Execute()
    {
        s_inTurn = true;
        var waits = RunTurn();
        s_inTurn = false;

        if (waits) _pending!.GetAwaiter().UnsafeOnCompleted(_resume ??= Resume);
        else EndTurn();
    }

    /// <summary>A message did not fit.</summary>
    private protected virtual void Refused(object msg) { }

    private void Posted(object msg)
    {
        foreach (var statistics in _statistics!) statistics.MessagePosted(msg);
    }

    // What completes the awaited task may be another actor's turn; it must not be held up by ours.
    private void Resume()
    {
        if (s_inTurn) ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        else ((IThreadPoolWorkItem)this).Execute();
    }

    private async Task RunOnDispatcher()
    {
        // Stays on the dispatcher's synchronization context when it has one.
        while (RunTurn()) await _pending!.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        EndTurn();
    }

    /// <summary>Handles messages until the queues are empty or the budget is spent (false), or a handler waits for <c>_pending</c> (true).</summary>
    private bool RunTurn()
    {
        var invoker = Invoker!;
        // Written back at the end only: posters read the fields beside it.
        var budget = _budget;
        while (true)
        {
            object? message = null;
            try
            {
                ValueTask handled;
                if (_pending is { } pending)
                {
                    message = _pendingMessage;
                    _pending = null;
                    _pendingMessage = null;
                    handled = new ValueTask(pending);
                }
                else if (TakeSystemMessage() is { } system)
                {
                    message = system;
                    if (system is SuspendMailbox) _suspended = true;
                    else if (system is ResumeMailbox) _suspended = false;
                    if (_statistics is not null) Received(message);
                    handled = invoker.InvokeSystemMessageAsync(system);
                }
                else
                {
                    if (_suspended || budget <= 0 || !Queue.TryDequeue(out message))
                    {
                        _budget = budget;
                        return false;
                    }

                    budget--;
                    if (_statistics is not null) Received(message);
                    handled = invoker.InvokeUserMessageAsync(message);
                }

                if (handled.IsCompleted)
                {
                    handled.GetAwaiter().GetResult();
                    continue;
                }

                _budget = budget;
                _pendingMessage = message;
                _pending = handled.AsTask();
                return true;
            }
            catch (Exception reason)
            {
                invoker.EscalateFailure(reason, message);
            }
        }
    }

    private void Received(object message)
    {
        foreach (var statistics in _statistics!) statistics.MessageReceived(message);
    }

    private SystemMessage? TakeSystemMessage()
    {
        if (_systemTaken is null)
        {
            if (Volatile.Read(ref _systemPosted) is null) return null;

            for (var node = Interlocked.Exchange(ref _systemPosted, null); node is not null;)
            {
                var older = node.Next;
                node.Next = _systemTaken;
                _systemTaken = node;
                node = older;
            }
        }

        var taken = _systemTaken!;
        _systemTaken = taken.Next;
        return taken.Message;
    }

    private void EndTurn()
    {
        if (_budget <= 0 && HasWork(_suspended))
        {
            // Still the owner: others get their turn first.
            _budget = _dispatcher!.Throughput;
            Dispatch(preferLocal: false);
            return;
        }

        _budget = _dispatcher!.Throughput;
        if (_statistics is not null)
        {
            foreach (var statistics in _statistics) statistics.MailboxEmpty();
        }

        if (!_waitsForTrim && Queue.HasSpareRoom && _trimmer is { } trimmer)
        {
            _waitsForTrim = true;
            trimmer.Add(this);
        }

        Release();
    }

    private void Release()
    {
        // Read while still the owner. A resume is a system message, so it schedules the mailbox itself.
        var suspended = _suspended;
        Interlocked.Exchange(ref _status, Idle);
        if (HasWork(suspended)) Schedule();
    }

    private bool HasWork(bool suspended) =>
        Volatile.Read(ref _systemPosted) is not null || (!suspended && !Queue.IsEmpty);

    private void Schedule()
    {
        if (Volatile.Read(ref _status) == Idle && Claim()) Dispatch(preferLocal: true);
    }

    private bool Claim() => Interlocked.CompareExchange(ref _status, Busy, Idle) == Idle;

    private void Dispatch(bool preferLocal)
    {
        if (_dispatcher is ThreadPoolDispatcher) ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal);
        else _dispatcher!.Schedule(RunOnDispatcher);
    }

    private sealed class SystemNode(SystemMessage message)
    {
        public readonly SystemMessage Message = message;
        public SystemNode? Next;
    }
}
