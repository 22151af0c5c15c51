namespace ActorCluster.Raft.Storage;

/// <param name="CongestedBytes">Queued bytes from which on the writer says that it is congested.</param>
/// <param name="MaxQueuedBytes">Queued bytes above which a caller that ignored the congestion has broken its bound: the node stops.</param>
/// <param name="MaxBatchBytes">Largest batch handed to the log at once; a single larger write still goes in alone.</param>
public sealed record LogWriterOptions(
    long CongestedBytes = 32 * 1024 * 1024,
    long MaxQueuedBytes = 512 * 1024 * 1024,
    long MaxBatchBytes = 8 * 1024 * 1024);

/// <summary>
/// Group commit: one thread of its own (syncs block, and must not starve the pool) takes everything that the groups have
/// queued, appends it, syncs once, and only then reports all of it durable. While it syncs, the next batch gathers.
/// The first failure is final: nothing is retried, and nothing is reported durable any more.
/// </summary>
public sealed class LogWriter : ILogWriter, IDisposable
{
    readonly INodeLog _log;
    readonly LogWriterOptions _options;
    readonly TaskCompletionSource _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly Thread _thread;
    readonly object _gate = new();
    readonly List<LogWrite> _batch = [];
    List<Pending> _queue = [];
    List<Pending> _taken = [];
    long _queuedBytes;
    bool _stopping;
    long _batches;

    /// <summary>Starts the thread. The log belongs to the writer from here on, and is disposed with it.</summary>
    public LogWriter(INodeLog log, LogWriterOptions? options = null)
    {
        _log = log;
        _options = options ?? new LogWriterOptions();
        // Nobody has to await the failure for it not to count as unobserved.
        _ = _failed.Task.ContinueWith(
            static task => _ = task.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        _thread = new Thread(Run) { IsBackground = true, Name = "log writer" };
        _thread.Start();
    }

    public Task Failed => _failed.Task;

    public bool IsCongested => QueuedBytes > _options.CongestedBytes;

    /// <summary>Half of the bound, so that what groups have taken already still fits below it.</summary>
    public bool IsFull => QueuedBytes > _options.MaxQueuedBytes / 2;

    /// <summary>Bytes of payload handed in and not yet durable.</summary>
    public long QueuedBytes => Volatile.Read(ref _queuedBytes);

    /// <summary>Syncs so far that covered something.</summary>
    public long Batches => Volatile.Read(ref _batches);

    public void Submit(LogWrite write, Action onDurable)
    {
        var bytes = BatchEncoder.SizeBound(write);
        lock (_gate)
        {
            if (_failed.Task.IsCompleted || _stopping) return; // Never durable, so never reported; Failed tells why.
            var queued = _queuedBytes + bytes;
            Invariant.Check(
                queued <= _options.MaxQueuedBytes,
                $"the log writer's queue would hold {queued} bytes, the limit is {_options.MaxQueuedBytes}: proposals were not held back");
            Volatile.Write(ref _queuedBytes, queued);
            _queue.Add(new Pending(write, onDurable, bytes));
            if (_queue.Count == 1) Monitor.Pulse(_gate);
        }
    }

    /// <summary>Makes durable what is queued, seals the log and ends the thread.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            if (_stopping) return;
            _stopping = true;
            Monitor.Pulse(_gate);
        }
        Invariant.Check(Thread.CurrentThread != _thread, "the log writer is disposed from a completion, which runs on its own thread");
        _thread.Join();
    }

    void Run()
    {
        try
        {
            while (TakeQueue()) WriteTaken();
            _log.Seal();
        }
        catch (Exception e)
        {
            // Nothing here can be put right by going on: the disk may hold any part of the batch.
            Fail(e);
        }
        finally
        {
            _log.Dispose();
        }
    }

    /// <summary>Waits for writes; false when there are none and the writer stops.</summary>
    bool TakeQueue()
    {
        lock (_gate)
        {
            while (_queue.Count == 0)
            {
                if (_stopping) return false;
                Monitor.Wait(_gate);
            }
            (_queue, _taken) = (_taken, _queue);
            return true;
        }
    }

    void WriteTaken()
    {
        long bytes = 0;
        long batchBytes = 0;
        foreach (var pending in _taken)
        {
            if (_batch.Count > 0 && batchBytes + pending.Bytes > _options.MaxBatchBytes)
            {
                _log.Append(_batch);
                _batch.Clear();
                batchBytes = 0;
            }
            _batch.Add(pending.Write);
            batchBytes += pending.Bytes;
            bytes += pending.Bytes;
        }
        _log.Append(_batch);
        _batch.Clear();
        _log.Sync();

        // Durable from here on.
        lock (_gate) Volatile.Write(ref _queuedBytes, _queuedBytes - bytes);
        Volatile.Write(ref _batches, _batches + 1);
        foreach (var pending in _taken) pending.OnDurable();
        _taken.Clear();
    }

    void Fail(Exception e)
    {
        lock (_gate)
        {
            _queue.Clear();
            _taken.Clear();
            _failed.TrySetException(new IOException("The node's log failed: " + e.Message, e));
        }
    }

    readonly record struct Pending(LogWrite Write, Action OnDurable, long Bytes);
}
