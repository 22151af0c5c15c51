using System.Collections.Concurrent;

namespace Proto;

/// <summary>
/// One process for many futures. A PID's request id is (generation, slot index): a late reply finds its slot free or rented under another
/// generation, and becomes a dead letter. Free slots are rented in turn, so that a request id comes back only after some 2³² rentals, and not
/// after 2³² / slots of one busy slot.
/// </summary>
internal sealed class SharedFutureProcess : Process, IFutureProcess
{
    private readonly IFutureSlot?[] _rentals;
    private readonly uint[] _requestIds; // by slot: of the latest rental; written before the rental is, by whoever holds the slot
    private readonly ConcurrentQueue<int> _free; // holds at most every slot, so it soon stops growing
    private readonly string _id;

    public SharedFutureProcess(ActorSystem system, int size) : base(system)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 1);
        _rentals = new IFutureSlot?[size];
        _requestIds = new uint[size];
        _free = new ConcurrentQueue<int>(Enumerable.Range(0, size));
        _id = system.ProcessRegistry.NextId();
        system.ProcessRegistry.TryAdd(_id, this);
    }

    /// <summary>How many slots there are; a request id names slot <c>(id - 1) % Size</c>.</summary>
    public int Size => _rentals.Length;

    public bool TryRent(IFutureSlot future, out PID pid)
    {
        if (!_free.TryDequeue(out var slot))
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
        if (Interlocked.CompareExchange(ref _rentals[slot], null, future) == future) _free.Enqueue(slot);
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
}
