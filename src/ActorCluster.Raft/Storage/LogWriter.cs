namespace ActorCluster.Raft.Storage;

/// <param name="CongestedBytes">Queued bytes from which on the writer says that it is congested.</param>
/// <param name="MaxQueuedBytes">Queued bytes above which a caller that ignored the congestion has broken its bound: the node stops.</param>
/// <param name="MaxBatchBytes">Largest batch handed to the log at once; a single larger write still goes in alone.</param>
public sealed record LogWriterOptions(
    long CongestedBytes = 32 * 1024 * 1024,
    long MaxQueuedBytes = 512 * 1024 * 1024,
    long MaxBatchBytes = 8 * 1024 * 1024)
{
    /// <summary>
    /// After so long without a write the log is sealed: from then on damage of its last batch can be told from a torn tail. And so often a
    /// full disk is tried again.
    /// </summary>
    public TimeSpan Housekeeping { get; init; } = TimeSpan.FromSeconds(1);
}

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
    readonly ITimer _housekeeping;
    readonly object _gate = new();
    readonly List<LogWrite> _batch = [];
    List<Pending> _queue = [];
    List<Pending> _taken = [];
    long _queuedBytes;
    bool _stopping;
    bool _unsealed;
    bool _keepHouse;
    long _batches;
    long _batchesAtLastTick;

    /// <summary>Starts the thread. The log belongs to the writer from here on, and is disposed with it.</summary>
    /// <param name="log">The log.</param>
    /// <param name="options">Bounds.</param>
    /// <param name="time">Drives the housekeeping; the system's when null.</param>
    public LogWriter(INodeLog log, LogWriterOptions? options = null, TimeProvider? time = null)
    {
        _log = log;
        _options = options ?? new LogWriterOptions();
        // Nobody has to await the failure for it not to count as unobserved.
        _ = _failed.Task.ContinueWith(
            static task => _ = task.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        _thread = new Thread(Run) { IsBackground = true, Name = "log writer" };
        _thread.Start();
        _housekeeping = (time ?? TimeProvider.System).CreateTimer(
            static writer => ((LogWriter)writer!).CallForHousekeeping(), this, _options.Housekeeping, _options.Housekeeping);
    }

    public Task Failed => _failed.Task;

    public bool IsCongested => QueuedBytes > _options.CongestedBytes;

    public bool IsShortOfSpace => _log.IsShortOfSpace;

    public bool IsNearlyOutOfSpace => _log.IsNearlyOutOfSpace;

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
            Monitor.PulseAll(_gate);
        }
        _housekeeping.Dispose();
        Invariant.Check(Thread.CurrentThread != _thread, "the log writer is disposed from a completion, which runs on its own thread");
        _thread.Join();
    }

    void Run()
    {
        try
        {
            while (TakeQueue(out var keepHouse))
            {
                if (_taken.Count > 0) WriteTaken();
                if (keepHouse) KeepHouse();
            }

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

    /// <summary>Waits for writes, or for housekeeping; false when there are none and the writer stops.</summary>
    bool TakeQueue(out bool keepHouse)
    {
        lock (_gate)
        {
            while (_queue.Count == 0 && !_keepHouse)
            {
                keepHouse = false;
                if (_stopping) return false;
                Monitor.Wait(_gate);
            }

            (_queue, _taken) = (_taken, _queue);
            keepHouse = _keepHouse;
            _keepHouse = false;
            return true;
        }
    }

    void CallForHousekeeping()
    {
        lock (_gate)
        {
            var idle = _batches == _batchesAtLastTick && _queue.Count == 0;
            _batchesAtLastTick = _batches;
            if (!_log.IsShortOfSpace && !(idle && _unsealed)) return;
            _keepHouse = true;
            Monitor.PulseAll(_gate);
        }
    }

    void KeepHouse()
    {
        if (_log.IsShortOfSpace) _log.Reserve();
        lock (_gate)
        {
            if (!_unsealed || _queue.Count > 0) return;
            _unsealed = false;
        }

        _log.Seal();
    }

    void WriteTaken()
    {
        long bytes = 0;
        long batchBytes = 0;
        foreach (var pending in _taken)
        {
            if (_batch.Count > 0 && batchBytes + pending.Bytes > _options.MaxBatchBytes)
            {
                AppendBatch();
                batchBytes = 0;
            }
            _batch.Add(pending.Write);
            batchBytes += pending.Bytes;
            bytes += pending.Bytes;
        }
        AppendBatch();
        _log.Sync();

        // Durable from here on.
        lock (_gate)
        {
            Volatile.Write(ref _queuedBytes, _queuedBytes - bytes);
            Volatile.Write(ref _batches, _batches + 1);
            _unsealed = true;
        }


        foreach (var pending in _taken) pending.OnDurable();
        _taken.Clear();
    }

    /// <summary>
    /// Waits while even the reserve is used up: nothing is promised meanwhile, and a leader whose writes stand still steps down
    /// (faults B8).
    /// </summary>
    void AppendBatch()
    {
        while (true)
        {
            try
            {
                _log.Append(_batch);
                _batch.Clear();
                return;
            }
            catch (DiskFullException)
            {
                lock (_gate)
                {
                    if (_stopping) throw;
                    _keepHouse = false;
                    while (!_keepHouse && !_stopping) Monitor.Wait(_gate);
                }
            }
        }
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
