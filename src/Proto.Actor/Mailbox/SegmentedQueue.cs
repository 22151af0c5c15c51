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

    // In _first: the consumer has taken the segment over; kept there, it would keep all that followed it. As Next: the ring was given back.
    private static readonly Segment s_none = new(1);

    // Invariant: _tail is null only while _first is, or shortly before it becomes so, or until the first producer sets it.
    private Segment? _tail; // where producers add
    private Segment? _head; // where the consumer takes; null until it looks for the first time
    private Segment? _first; // set by the first producer, before it sets the tail

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

    public readonly bool HasSpareRoom => _head is not null;

    public bool TryEnqueue(object message)
    {
        var segment = Volatile.Read(ref _tail);
        if (segment is null || !segment.TryEnqueue(message)) Grow(segment, message);
        return true;
    }

    public bool TryDequeue([MaybeNullWhen(false)] out object message)
    {
        var segment = _head ?? TakeFirst();
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

    /// <summary>Back to a queue that was never used. When a message comes in just now: to a small ring behind it.</summary>
    public void Trim()
    {
        if (_head is not { } ring || !IsEmpty) return;

        lock (ring)
        {
            // Without tail, the producer of the first ring is still about to set it, and would set a ring that was given back.
            if (ring.Next is not null || Volatile.Read(ref _tail) is null) return;

            ring.Freeze();
            if (!ring.IsDrained)
            {
                Append(ring, FirstCapacity);
                return;
            }

            // A producer that still knows the ring must not follow it. Under its lock nobody else sets the tail.
            ring.Next = s_none;
            Volatile.Write(ref _head, null);
            Volatile.Write(ref _tail, null);
            Volatile.Write(ref _first, null);
        }
    }

    private void Grow(Segment? full, object message)
    {
        while (full is null || !full.TryEnqueue(message))
        {
            if (full is null) Begin();
            else Follow(full);
            full = Volatile.Read(ref _tail);
        }
    }

    /// <summary>Makes the first ring, or waits for whoever is about to.</summary>
    private void Begin()
    {
        var first = new Segment(FirstCapacity);
        var spin = default(SpinWait);
        while (Volatile.Read(ref _tail) is null)
        {
            // _first is published before _tail: a producer that sees the tail knows that the consumer can find it.
            if (Interlocked.CompareExchange(ref _first, first, null) is null) Volatile.Write(ref _tail, first);
            else spin.SpinOnce();
        }
    }

    /// <summary>Ends the ring and puts a larger one behind it, unless something has happened to it already.</summary>
    private void Follow(Segment full)
    {
        lock (full)
        {
            if (full.Next is not null) return;

            full.Freeze();
            Append(full, Math.Min(full.Capacity * 2, MaxCapacity));
        }
    }

    private void Append(Segment last, int capacity)
    {
        var next = new Segment(capacity);
        Volatile.Write(ref last.Next, next);
        Volatile.Write(ref _tail, next);
    }

    private Segment? TakeFirst()
    {
        if (Volatile.Read(ref _first) is not { } first) return null;

        // In this order: others look for the head before they look for the first.
        Volatile.Write(ref _head, first);
        Volatile.Write(ref _first, s_none);
        return first;
    }

    /// <summary>
    /// Invariant: the slot of message i (mod capacity) has sequence i when it is free for the producer of i, i + 1 when it holds message i.
    /// The two positions live in entries of the same array, in a ring that is busy enough to have grown apart from each other and from the slots:
    /// the object itself is then only read, and producers and consumer do not take cache lines from each other for nothing.
    /// </summary>
    private sealed class Segment
    {
        private const int BusyCapacity = 64;
        private const int LinesApart = 8; // 8 slots are 128 bytes: a cache line and the one that is fetched with it

        public Segment? Next;
        private readonly Slot[] _slots;
        private readonly int _apart;
        private readonly int _mask;
        private int _end; // the claim position at which it was frozen; valid once Next is set

        public Segment(int capacity)
        {
            _apart = capacity < BusyCapacity ? 1 : LinesApart;
            _mask = capacity - 1;
            _slots = new Slot[capacity + 2 * _apart];
            for (var i = 0; i < capacity; i++) At(i).Sequence = i;
        }

        public int Capacity => _mask + 1;

        public int Count
        {
            get
            {
                var end = Volatile.Read(ref Next) is null ? Volatile.Read(ref Enqueued) : _end;
                return Math.Clamp(end - Volatile.Read(ref Dequeued), 0, Capacity);
            }
        }

        public bool HasNext
        {
            get
            {
                var position = Volatile.Read(ref Dequeued);
                return Volatile.Read(ref At(position).Sequence) == position + 1;
            }
        }

        /// <summary>Everything that was ever claimed here has been taken, and nothing more will come.</summary>
        public bool IsSpent => Volatile.Read(ref Next) is not null && IsDrained;

        /// <summary>Of a frozen ring: everything that was ever claimed here has been taken.</summary>
        public bool IsDrained => Dequeued == _end;

        /// <summary>The next position to claim.</summary>
        private ref int Enqueued => ref _slots[0].Sequence;

        /// <summary>The next position to take; written by the consumer only.</summary>
        private ref int Dequeued => ref _slots[_apart].Sequence;

        public bool TryEnqueue(object message)
        {
            ref var enqueued = ref Enqueued;
            while (true)
            {
                var position = Volatile.Read(ref enqueued);
                ref var slot = ref At(position);
                var lead = Volatile.Read(ref slot.Sequence) - position;
                if (lead == 0)
                {
                    if (Interlocked.CompareExchange(ref enqueued, position + 1, position) != position) continue;

                    slot.Message = message;
                    Volatile.Write(ref slot.Sequence, position + 1);
                    return true;
                }

                if (lead < 0) return false; // full, or frozen
            }
        }

        public bool TryDequeue([MaybeNullWhen(false)] out object message)
        {
            ref var dequeued = ref Dequeued;
            var position = dequeued;
            ref var slot = ref At(position);
            if (Volatile.Read(ref slot.Sequence) != position + 1)
            {
                message = null;
                return false;
            }

            message = slot.Message!;
            slot.Message = null;
            Volatile.Write(ref dequeued, position + 1);
            Volatile.Write(ref slot.Sequence, position + Capacity);
            return true;
        }

        /// <summary>Moves the claim position beyond every slot's sequence, so that no claim can succeed. Called once, under the lock.</summary>
        public void Freeze() => Volatile.Write(ref _end, Interlocked.Add(ref Enqueued, Capacity * 2) - Capacity * 2);

        private ref Slot At(int position) => ref _slots[(position & _mask) + 2 * _apart];
    }

    private struct Slot
    {
        public object? Message;
        public int Sequence;
    }
}
