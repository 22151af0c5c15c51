namespace Proto;

/// <summary>What waits behind a future's PID.</summary>
internal interface IFutureSlot
{
    /// <summary>The one reply. Called at most once, by whoever took the slot.</summary>
    void Reply(object message);

    /// <summary>The address ended without a reply. Called instead of <see cref="Reply"/>.</summary>
    void Abandon(Exception reason);
}

/// <summary>A process that answers go to. Exactly one caller takes a slot: a reply, a timeout or a disposal.</summary>
internal interface IFutureProcess
{
    bool TryTake(PID pid, IFutureSlot slot);
}

internal static class FutureAddress
{
    /// <summary>An address for the slot: in the shared future while that has room, otherwise a process of its own.</summary>
    public static (PID Pid, IFutureProcess Process) Create(ActorSystem system, IFutureSlot slot)
    {
        system.Metrics.FutureStarted();
        if (system.SharedFuture is { } shared && shared.TryRent(slot, out var pid)) return (pid, shared);

        var own = new FutureProcess(system, slot);
        return (own.Pid, own);
    }
}

/// <summary>A future with a process of its own.</summary>
internal sealed class FutureProcess : Process, IFutureProcess
{
    private readonly IFutureSlot _slot;
    private int _taken;

    public FutureProcess(ActorSystem system, IFutureSlot slot) : base(system)
    {
        _slot = slot;
        Pid = system.ProcessRegistry.TryAdd(system.ProcessRegistry.NextId(), this).pid;
    }

    public PID Pid { get; }

    public bool TryTake(PID pid, IFutureSlot slot)
    {
        if (Interlocked.Exchange(ref _taken, 1) != 0) return false;

        System.ProcessRegistry.Remove(Pid);
        return true;
    }

    protected internal override void SendUserMessage(PID pid, object message)
    {
        if (TryTake(pid, _slot)) _slot.Reply(message);
        else System.DeadLetter.SendUserMessage(pid, message);
    }

    protected internal override void SendSystemMessage(PID pid, SystemMessage message)
    {
        switch (message)
        {
            case Terminated when TryTake(pid, _slot):
                _slot.Reply(message);
                break;
            case Proto.Stop when TryTake(pid, _slot):
                _slot.Abandon(new DeadLetterException(pid));
                break;
            default:
                System.DeadLetter.SendSystemMessage(pid, message);
                break;
        }
    }
}

/// <summary>
/// One process for many futures. A PID's request id is (generation, slot index): a late reply finds its slot free or rented under another
/// generation, and becomes a dead letter. Generations of a slot repeat after 2³² / slots rentals.
/// </summary>
internal sealed class SharedFutureProcess : Process, IFutureProcess
{
    private readonly Rental?[] _rentals;
    private readonly uint[] _nextRequestId; // by slot, owned by whoever holds the slot
    private readonly int[] _nextFree; // the free list; -1 ends it
    private readonly string _id;
    private long _freeHead; // high half: change count against ABA; low half: slot, -1 = none

    public SharedFutureProcess(ActorSystem system, int size) : base(system)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 1);
        _rentals = new Rental?[size];
        _nextFree = new int[size];
        _nextRequestId = new uint[size];
        for (var slot = 0; slot < size; slot++)
        {
            _nextFree[slot] = slot + 1 < size ? slot + 1 : -1;
            _nextRequestId[slot] = (uint)(slot + 1);
        }

        _id = system.ProcessRegistry.NextId();
        system.ProcessRegistry.TryAdd(_id, this);
    }

    public bool TryRent(IFutureSlot future, out PID pid)
    {
        var slot = PopFree();
        if (slot < 0)
        {
            pid = null!;
            return false;
        }

        var requestId = _nextRequestId[slot];
        // The next generation of the slot; request id 0 means "none", so numbering wraps to the first one.
        var next = (ulong)requestId + (ulong)_rentals.Length;
        _nextRequestId[slot] = next <= uint.MaxValue ? (uint)next : (uint)(slot + 1);
        pid = new PID(System.Address, _id, this, requestId);
        Volatile.Write(ref _rentals[slot], new Rental(requestId, future));
        return true;
    }

    public bool TryTake(PID pid, IFutureSlot slot) => Take(pid) is not null;

    protected internal override void SendUserMessage(PID pid, object message)
    {
        if (Take(pid) is { } future) future.Reply(message);
        else System.DeadLetter.SendUserMessage(pid, message);
    }

    protected internal override void SendSystemMessage(PID pid, SystemMessage message)
    {
        switch (message)
        {
            case Terminated when Take(pid) is { } future:
                future.Reply(message);
                break;
            case Proto.Stop when Take(pid) is { } future:
                future.Abandon(new DeadLetterException(pid));
                break;
            default:
                System.DeadLetter.SendSystemMessage(pid, message);
                break;
        }
    }

    private IFutureSlot? Take(PID pid)
    {
        var requestId = pid.RequestId;
        if (requestId == 0) return null;

        var slot = (int)((requestId - 1) % (uint)_rentals.Length);
        var rental = Volatile.Read(ref _rentals[slot]);
        if (rental is null || rental.RequestId != requestId) return null;
        if (Interlocked.CompareExchange(ref _rentals[slot], null, rental) != rental) return null;

        PushFree(slot);
        return rental.Future;
    }

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

    private sealed class Rental(uint requestId, IFutureSlot future)
    {
        public readonly uint RequestId = requestId;
        public readonly IFutureSlot Future = future;
    }
}
