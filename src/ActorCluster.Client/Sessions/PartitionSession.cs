using ActorCluster.Protocol.Keyspace;

namespace ActorCluster.Client.Sessions;

/// <summary>
/// One session of this client with one partition: every request under way has a sequence of its own and keeps it for all
/// its repeats, so that the partition carries it out once. Safe to call from any thread.
/// Invariant: lowest pending ≤ every sequence under way, and next − lowest pending ≤ window. The partition forgets the
/// replies below the lowest pending, so a sequence ends only when nobody will repeat it.
/// </summary>
sealed class PartitionSession(ulong id, int window)
{
    readonly Lock _gate = new();
    readonly bool[] _ended = new bool[window];
    readonly Queue<TaskCompletionSource> _waiting = new();
    ulong _next = 1;
    ulong _lowestPending = 1;

    public ulong Id => id;

    /// <summary>Set once the partition no longer knows the session; new requests take another.</summary>
    public bool IsExpired { get; private set; }

    public void Expire()
    {
        lock (_gate) IsExpired = true;
    }

    /// <summary>A sequence for a new request; waits while the window is full.</summary>
    public async Task<ulong> BeginAsync(CancellationToken ct)
    {
        while (true)
        {
            TaskCompletionSource turn;
            lock (_gate)
            {
                if (_next - _lowestPending < (ulong)_ended.Length) return _next++;
                turn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                _waiting.Enqueue(turn);
            }

            try
            {
                await turn.Task.WaitAsync(ct);
            }
            catch (OperationCanceledException)
            {
                // The turn came at the same moment: it is another's.
                if (!turn.TrySetCanceled(CancellationToken.None)) WakeWaiting(1);
                throw;
            }
        }
    }

    /// <summary>What to send with (another attempt of) a request: what is acknowledged may have risen since the last one.</summary>
    public SessionRef Reference(ulong sequence)
    {
        lock (_gate) return new SessionRef { SessionId = id, Sequence = sequence, LowestPending = _lowestPending };
    }

    /// <summary>The request ended, however it did: it will not be repeated. Called once for each sequence.</summary>
    public void End(ulong sequence)
    {
        lock (_gate)
        {
            if (sequence < _lowestPending || sequence >= _next || _ended[Slot(sequence)])
                throw new InvalidOperationException($"session {id}: sequence {sequence} is not under way (lowest pending {_lowestPending}, next {_next})");
            _ended[Slot(sequence)] = true;
            var room = 0;
            while (_lowestPending < _next && _ended[Slot(_lowestPending)])
            {
                _ended[Slot(_lowestPending)] = false;
                _lowestPending++;
                room++;
            }

            WakeWaiting(room);
        }
    }

    // Those who gave up are still in the queue: their turn goes to the next.
    void WakeWaiting(int count)
    {
        lock (_gate)
        {
            while (count > 0 && _waiting.TryDequeue(out var turn))
            {
                if (turn.TrySetResult()) count--;
            }
        }
    }

    int Slot(ulong sequence) => (int)(sequence % (ulong)_ended.Length);
}
