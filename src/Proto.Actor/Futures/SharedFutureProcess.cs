namespace Proto;

/// <summary>
/// One process for many futures. A PID's request id is (generation, slot index): a late reply finds its slot free or rented under another
/// generation, and becomes a dead letter. Generations of a slot repeat after 2³² / slots rentals.
/// </summary>
internal sealed class SharedFutureProcess : Process, IFutureProcess
{
    private readonly IFutureSlot?[] _rentals;
    private readonly uint[] _requestIds; // by slot: of the latest rental; written before the rental is, by whoever holds the slot
    private readonly int[] _nextFree; // the free list; -1 ends it
    private readonly string _id;
    private long _freeHead; // high half: change count against ABA; low half: slot, -1 = none

    public SharedFutureProcess(ActorSystem system, int size) : base(system)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 1);
        _rentals = new IFutureSlot?[size];
        _nextFree = new int[size];
        _requestIds = new uint[size];
        for (var slot = 0; slot < size; slot++) _nextFree[slot] = slot + 1 < size ? slot + 1 : -1;

        _id = system.ProcessRegistry.NextId();
        system.ProcessRegistry.TryAdd(_id, this);
    }

    /// <summary>How many slots there are; a request id names slot <c>(id - 1) % Size</c>.</summary>
    public int Size => _rentals.Length;

    public bool TryRent(IFutureSlot future, out PID pid)
    {
        var slot = PopFree();
        if (slot < 0)
        {
            pid = null!;
            return false;
        }

        // The next generation of the slot; request id 0 means "none", so numbering wraps to the first one.
        var next = (ulong)_requestIds[slot] + (ulong)_rentals.Length;
        var requestId = _requestIds[slot] != 0 && next <= uint.MaxValue ? (uint)next : (uint)(slot + 1);
        _requestIds[slot] = requestId;
        pid = new PID(System.Address, _id, this, requestId);
        Volatile.Write(ref _rentals[slot], future);
        return true;
    }

    /// <summary>Frees the slot if the future still has it. A future never rents the same slot again, so no other rental can be meant.</summary>
    public void Return(uint requestId, IFutureSlot future)
    {
        var slot = SlotOf(requestId);
        if (Interlocked.CompareExchange(ref _rentals[slot], null, future) == future) PushFree(slot);
    }

    /// <summary>Gives the process's name back; replies that come later are dead letters.</summary>
    public void Close() => System.ProcessRegistry.Remove(new PID(System.Address, _id));

    public bool Owns(PID pid) => string.Equals(pid.Id, _id, StringComparison.Ordinal);

    protected internal override void SendUserMessage(PID pid, object message) => FutureProcess.Deliver(System, Find(pid), pid, message);

    protected internal override void SendSystemMessage(PID pid, SystemMessage message) => FutureProcess.DeliverSystem(System, Find(pid), pid, message);

    public IFutureSlot? Find(PID pid)
    {
        if (pid.RequestId == 0) return null;

        var slot = SlotOf(pid.RequestId);
        var future = Volatile.Read(ref _rentals[slot]);
        // The id is read after the rental: if it is ours, the rental is ours or has ended meanwhile, and then the future says so.
        return future is not null && Volatile.Read(ref _requestIds[slot]) == pid.RequestId ? future : null;
    }

    private int SlotOf(uint requestId) => (int)((requestId - 1) % (uint)_rentals.Length);

    private int PopFree()
    {
        while (true)
        {
            var head = Volatile.Read(ref _freeHead);
            var slot = (int)head;
            if (slot < 0) return -1;

            var next = Volatile.Read(ref _nextFree[slot]);
            if (Interlocked.CompareExchange(ref _freeHead, Head(head, next), head) == head) return slot;
        }
    }

    private void PushFree(int slot)
    {
        while (true)
        {
            var head = Volatile.Read(ref _freeHead);
            Volatile.Write(ref _nextFree[slot], (int)head);
            if (Interlocked.CompareExchange(ref _freeHead, Head(head, slot), head) == head) return;
        }
    }

    private static long Head(long previous, int slot) => ((previous >> 32) + 1) << 32 | (uint)slot;
}
