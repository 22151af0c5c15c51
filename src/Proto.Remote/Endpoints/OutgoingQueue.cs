using System.Threading.Tasks.Sources;
using Proto.Remote.Wire;

namespace Proto.Remote.Endpoints;

enum EnqueueResult
{
    Queued,

    /// <summary>The lane holds as many messages, or as many bytes, as it may.</summary>
    Full,

    /// <summary>The circuit is open: nothing is taken until the peer can be reached again.</summary>
    Refused,

    /// <summary>The stream is over for good.</summary>
    Closed,
}

/// <summary>What the reader of a queue waits for, besides <see cref="OutgoingQueue.Signal"/>.</summary>
enum WaitFor
{
    SignalOnly,
    Messages,

    /// <summary>A message that was refused.</summary>
    Refusal,
}

/// <summary>
/// What waits for one stream, in two lanes: many writers, one reader. The reader takes a whole lane at once by swapping arrays, so that a
/// message costs one short lock and no allocation. Both lanes are bounded, each by itself: a full one never costs the other its room.
/// </summary>
sealed class OutgoingQueue(int maxMessages, long maxBytes) : IValueTaskSource
{
    readonly Lock _gate = new();
    readonly OutgoingLane _priority = new(maxMessages, maxBytes);
    readonly OutgoingLane _normal = new(maxMessages, maxBytes);
    // A continuation never runs on a sender's thread: senders must not serialise other messages.
    ManualResetValueTaskSourceCore<bool> _waiter = new() { RunContinuationsAsynchronously = true };
    bool _closed;
    bool _refusing;
    bool _refusedSome;
    bool _signalled;
    bool _waiting;
    WaitFor _waitingFor;

    public EnqueueResult TryEnqueue(in OutgoingMessage message, bool priority)
    {
        EnqueueResult result;
        lock (_gate)
        {
            if (_closed) return EnqueueResult.Closed;
            if (!_refusing && !LaneOf(priority).TryAdd(message)) return EnqueueResult.Full;
            _refusedSome |= _refusing;
            result = _refusing ? EnqueueResult.Refused : EnqueueResult.Queued;
            if (!_waiting || _waitingFor != (_refusing ? WaitFor.Refusal : WaitFor.Messages)) return result;
            _waiting = false;
        }

        _waiter.SetResult(true);
        return result;
    }

    /// <summary>Wakes the reader although nothing was queued.</summary>
    public void Signal()
    {
        lock (_gate)
        {
            _signalled = true;
            if (!_waiting) return;
            _waiting = false;
        }

        _waiter.SetResult(true);
    }

    /// <summary>Takes all that is queued in a lane and leaves <paramref name="spare"/> to be filled next.</summary>
    public int Take(bool priority, ref OutgoingMessage[] spare)
    {
        lock (_gate) return LaneOf(priority).Take(ref spare);
    }

    /// <summary>Makes room for as many others.</summary>
    public void Release(bool priority, int messages, long bytes)
    {
        lock (_gate) LaneOf(priority).Release(messages, bytes);
    }

    /// <summary>Completes when that is there, or after <see cref="Signal"/>. One waiter at a time.</summary>
    public ValueTask WaitAsync(WaitFor what)
    {
        lock (_gate)
        {
            if (_signalled || (what == WaitFor.Messages && !IsEmpty) || (what == WaitFor.Refusal && _refusedSome))
            {
                _signalled = false;
                return ValueTask.CompletedTask;
            }

            _waiter.Reset();
            _waiting = true;
            _waitingFor = what;
            return new ValueTask(this, _waiter.Version);
        }
    }

    /// <summary>How many messages and bytes wait or are in the reader's hands.</summary>
    public (int Messages, long Bytes) Load
    {
        get
        {
            lock (_gate) return (_priority.Count + _normal.Count, _priority.Bytes + _normal.Bytes);
        }
    }

    /// <summary>Whether anything waits to be taken.</summary>
    public bool HasQueued
    {
        get
        {
            lock (_gate) return !IsEmpty;
        }
    }

    /// <summary>Whether nothing will ever be taken again.</summary>
    public bool IsClosed
    {
        get
        {
            lock (_gate) return _closed;
        }
    }

    /// <summary>Refuses what comes from now on. With <paramref name="onlyIfUnused"/>: unless something is queued or was refused (then false).</summary>
    public bool Close(bool onlyIfUnused = false)
    {
        lock (_gate)
        {
            if (onlyIfUnused && (!IsEmpty || _refusedSome)) return false;
            _closed = true;
            return true;
        }
    }

    /// <summary>Refuses what comes, until <see cref="Accept"/>.</summary>
    public void Refuse()
    {
        lock (_gate) _refusing = true;
    }

    public void Accept()
    {
        lock (_gate) _refusing = false;
    }

    /// <summary>Whether anything was refused since the last call.</summary>
    public bool TakeRefusedSome()
    {
        lock (_gate)
        {
            var some = _refusedSome;
            _refusedSome = false;
            return some;
        }
    }

    bool IsEmpty => _priority.IsEmpty && _normal.IsEmpty;

    OutgoingLane LaneOf(bool priority) => priority ? _priority : _normal;

    void IValueTaskSource.GetResult(short token)
    {
        _waiter.GetResult(token);
        lock (_gate) _signalled = false;
    }

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _waiter.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _waiter.OnCompleted(continuation, state, token, flags);
}
