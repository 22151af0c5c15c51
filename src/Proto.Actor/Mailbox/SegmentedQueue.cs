using System.Diagnostics.CodeAnalysis;

namespace Proto.Mailbox;

/// <summary>
/// Unbounded, lock-free for producers except when it grows. A ring of slots with sequence numbers (Vyukov's bounded queue); a full ring is
/// frozen and followed by a larger one, so that a queue in balance allocates nothing, and one that was never used holds no ring.
/// </summary>
internal struct SegmentedQueue : IMessageQueue
{
    private const int FirstCapacity = 4;
    private const int MaxCapacity = 4096;

    private Segment? _tail; // where producers add
    private Segment? _head; // where the consumer takes; null until it looks for the first time
    private Segment? _first;

    public readonly int Count
    {
        get
        {
            var count = 0;
            for (var segment = Volatile.Read(in _head) ?? Volatile.Read(in _first); segment is not null; segment = Volatile.Read(ref segment.Next))
            {
                count += segment.Count;
            }

            return count;
        }
    }

    public readonly bool IsEmpty
    {
        get
        {
            for (var segment = Volatile.Read(in _head) ?? Volatile.Read(in _first); segment is not null; segment = Volatile.Read(ref segment.Next))
            {
                if (segment.HasNext) return false;
            }

            return true;
        }
    }

    public bool TryEnqueue(object message)
    {
        var segment = Volatile.Read(ref _tail);
        if (segment is null || !segment.TryEnqueue(message)) Grow(segment, message);
        return true;
    }

    public bool TryDequeue([MaybeNullWhen(false)] out object message)
    {
        var segment = _head ??= Volatile.Read(ref _first);
        if (segment is null)
        {
            message = null;
            return false;
        }

        while (!segment.TryDequeue(out message))
        {
            if (!segment.IsSpent) return false;

            segment = Volatile.Read(ref segment.Next)!;
            Volatile.Write(ref _head, segment);
        }

        return true;
    }

    private void Grow(Segment? full, object message)
    {
        while (true)
        {
            if (full is null)
            {
                var first = new Segment(FirstCapacity);
                // _first is published before _tail: a producer that sees the tail knows that the consumer can find it.
                if (Interlocked.CompareExchange(ref _first, first, null) is null) Volatile.Write(ref _tail, first);
                else SpinUntilTail();
            }
            else
            {
                lock (full)
                {
                    if (full.Next is null)
                    {
                        full.Freeze();
                        var next = new Segment(Math.Min(full.Capacity * 2, MaxCapacity));
                        Volatile.Write(ref full.Next, next);
                        Volatile.Write(ref _tail, next);
                    }
                }
            }

            full = Volatile.Read(ref _tail)!;
            if (full.TryEnqueue(message)) return;
        }
    }

    private void SpinUntilTail()
    {
        var spin = default(SpinWait);
        while (Volatile.Read(ref _tail) is null) spin.SpinOnce();
    }

    /// <summary>Invariant: slot i (mod capacity) has sequence i when free for the producer of i, i + 1 when it holds message i.</summary>
    private sealed class Segment
    {
        public Segment? Next;
        private readonly Slot[] _slots;
        private int _enqueued; // next position to claim
        private int _dequeued; // next position to take; written by the consumer only
        private int _end; // the claim position at which it was frozen; valid once Next is set

        public Segment(int capacity)
        {
            _slots = new Slot[capacity];
            for (var i = 0; i < capacity; i++) _slots[i].Sequence = i;
        }

        public int Capacity => _slots.Length;

        public int Count
        {
            get
            {
                var end = Volatile.Read(ref Next) is null ? Volatile.Read(ref _enqueued) : _end;
                return Math.Clamp(end - Volatile.Read(ref _dequeued), 0, _slots.Length);
            }
        }

        public bool HasNext
        {
            get
            {
                var position = Volatile.Read(ref _dequeued);
                return Volatile.Read(ref _slots[position & (_slots.Length - 1)].Sequence) == position + 1;
            }
        }

        /// <summary>Everything that was ever claimed here has been taken, and nothing more will come.</summary>
        public bool IsSpent => Volatile.Read(ref Next) is not null && _dequeued == _end;

        public bool TryEnqueue(object message)
        {
            var slots = _slots;
            while (true)
            {
                var position = Volatile.Read(ref _enqueued);
                ref var slot = ref slots[position & (slots.Length - 1)];
                var lead = Volatile.Read(ref slot.Sequence) - position;
                if (lead == 0)
                {
                    if (Interlocked.CompareExchange(ref _enqueued, position + 1, position) != position) continue;

                    slot.Message = message;
                    Volatile.Write(ref slot.Sequence, position + 1);
                    return true;
                }

                if (lead < 0) return false; // full, or frozen
            }
        }

        public bool TryDequeue([MaybeNullWhen(false)] out object message)
        {
            var slots = _slots;
            var position = _dequeued;
            ref var slot = ref slots[position & (slots.Length - 1)];
            if (Volatile.Read(ref slot.Sequence) != position + 1)
            {
                message = null;
                return false;
            }

            message = slot.Message!;
            slot.Message = null;
            Volatile.Write(ref _dequeued, position + 1);
            Volatile.Write(ref slot.Sequence, position + slots.Length);
            return true;
        }

        /// <summary>Moves the claim position beyond every slot's sequence, so that no claim can succeed. Called once, under the lock.</summary>
        public void Freeze() => Volatile.Write(ref _end, Interlocked.Add(ref _enqueued, _slots.Length * 2) - _slots.Length * 2);
    }

    private struct Slot
    {
        public object? Message;
        public int Sequence;
    }
}
