using System.Threading.Tasks.Sources;
using Proto.Remote.Wire;

namespace Proto.Remote.Endpoints;

enum EnqueueResult
{
    Queued,
    Full,
    Closed,
}

/// <summary>
/// What waits for one stream: many writers, one reader. The reader takes everything at once by swapping arrays, so that a message
/// costs one short lock and no allocation. Bounded: at most <c>capacity</c> here and as many in the reader's hands.
/// </summary>
sealed class OutgoingQueue(int capacity) : IValueTaskSource
{
    readonly Lock _gate = new();
    // A continuation never runs on a sender's thread: senders must not serialise other messages.
    ManualResetValueTaskSourceCore<bool> _waiter = new() { RunContinuationsAsynchronously = true };
    OutgoingMessage[] _messages = new OutgoingMessage[16];
    int _count;
    bool _closed;
    bool _signalled;
    bool _waiting;

    public EnqueueResult TryEnqueue(in OutgoingMessage message)
    {
        lock (_gate)
        {
            if (_closed) return EnqueueResult.Closed;
            if (_count >= capacity) return EnqueueResult.Full;
            if (_count == _messages.Length) Array.Resize(ref _messages, Math.Min(capacity, _count * 2));
            _messages[_count++] = message;
            if (!_waiting) return EnqueueResult.Queued;
            _waiting = false;
        }

        _waiter.SetResult(true);
        return EnqueueResult.Queued;
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

    /// <summary>Takes all that is queued and leaves <paramref name="spare"/> to be filled next.</summary>
    public int Take(ref OutgoingMessage[] spare)
    {
        lock (_gate)
        {
            var count = _count;
            if (count == 0) return 0;
            (_messages, spare) = (spare, _messages);
            _count = 0;
            return count;
        }
    }

    /// <summary>Completes when something is queued, or after <see cref="Signal"/>. One waiter at a time.</summary>
    public ValueTask WaitAsync()
    {
        lock (_gate)
        {
            if (_count > 0 || _signalled)
            {
                _signalled = false;
                return ValueTask.CompletedTask;
            }

            _waiter.Reset();
            _waiting = true;
            return new ValueTask(this, _waiter.Version);
        }
    }

    public bool IsClosed
    {
        get
        {
            lock (_gate) return _closed;
        }
    }

    /// <summary>Refuses what comes from now on. With <paramref name="onlyIfEmpty"/>: unless something is queued (then false).</summary>
    public bool Close(bool onlyIfEmpty = false)
    {
        lock (_gate)
        {
            if (onlyIfEmpty && _count > 0) return false;
            _closed = true;
            return true;
        }
    }

    void IValueTaskSource.GetResult(short token)
    {
        _waiter.GetResult(token);
        lock (_gate) _signalled = false;
    }

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _waiter.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _waiter.OnCompleted(continuation, state, token, flags);
}
