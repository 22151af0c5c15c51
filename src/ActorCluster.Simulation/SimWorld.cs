using ActorCluster.Protocol;
using ActorCluster.Raft;

namespace ActorCluster.Simulation;

/// <summary>
/// One thread, one virtual clock, one queue of things to do. Everything that happens in a simulated run is decided by
/// the seed: the order of things due at the same time by a drawn tie-break, everything else by generators that are
/// split by concern, so that a draw added for one concern shifts no other.
/// Invariant: time never falls, and only the thread that made the world steps it.
/// </summary>
public sealed class SimWorld
{
    readonly PriorityQueue<Action, (long AtMicros, ulong TieBreak, ulong Order)> _queue = new();
    readonly Xoshiro256 _tieBreaks;
    readonly int _threadId = Environment.CurrentManagedThreadId;
    ulong _order;

    public SimWorld(ulong seed)
    {
        Seed = seed;
        _tieBreaks = RandomFor("world/tie-break");
    }

    public ulong Seed { get; }

    /// <summary>Virtual time since the world began, in microseconds.</summary>
    public long NowMicros { get; private set; }

    /// <summary>Actions executed so far.</summary>
    public long Steps { get; private set; }

    /// <summary>What happened, as a rolling hash and a bounded list of the latest events.</summary>
    public SimTrace Trace { get; } = new();

    /// <summary>The generator of one concern ("network/2-3", "clock/1"): the same for the same seed and name.</summary>
    public Xoshiro256 RandomFor(string concern) => new(Seed ^ StableHash.Of(concern));

    /// <summary>Does <paramref name="action"/> after a delay of virtual time.</summary>
    public void After(long delayMicros, Action action)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(delayMicros);
        _queue.Enqueue(action, (NowMicros + delayMicros, _tieBreaks.NextUInt64(), _order++));
    }

    /// <summary>Executes the next action; false when there is none.</summary>
    public bool Step()
    {
        Invariant.Check(Environment.CurrentManagedThreadId == _threadId, "a simulated world has one thread");
        if (!_queue.TryDequeue(out var action, out var due)) return false;
        NowMicros = due.AtMicros;
        Steps++;
        action();
        return true;
    }

    /// <summary>Steps until the condition holds (true), or the virtual time or the queue is used up (false).</summary>
    public bool RunUntil(Func<bool> condition, long untilMicros)
    {
        while (!condition())
        {
            if (!_queue.TryPeek(out _, out var due) || due.AtMicros > untilMicros) return false;
            Step();
        }

        return true;
    }
}
