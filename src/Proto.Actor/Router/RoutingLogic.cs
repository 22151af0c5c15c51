using System.Collections.Immutable;

namespace Proto.Router;

/// <summary>Chooses routees. Called from many threads at once; <see cref="SetRoutees"/> from one at a time.</summary>
internal abstract class RoutingLogic
{
    public abstract void SetRoutees(ImmutableArray<PID> routees);

    /// <summary>Where the message goes; empty when there is nobody.</summary>
    public abstract ReadOnlySpan<PID> Choose(object message);
}

/// <summary>A logic that needs no more than the list of the routees.</summary>
internal abstract class ListRouting : RoutingLogic
{
    private PID[] _routees = [];

    public override void SetRoutees(ImmutableArray<PID> routees) => Volatile.Write(ref _routees, [.. routees]);

    public override ReadOnlySpan<PID> Choose(object message)
    {
        var routees = Volatile.Read(ref _routees);
        return routees.Length == 0 ? default : Choose(routees);
    }

    protected abstract ReadOnlySpan<PID> Choose(PID[] routees);
}

internal sealed class BroadcastRouting : ListRouting
{
    protected override ReadOnlySpan<PID> Choose(PID[] routees) => routees;
}

internal sealed class RoundRobinRouting : ListRouting
{
    private int _last = -1;

    protected override ReadOnlySpan<PID> Choose(PID[] routees) =>
        new(routees, (int)((uint)Interlocked.Increment(ref _last) % (uint)routees.Length), 1);
}

/// <param name="nextDouble">A number, at least 0 and less than 1. Need not be safe from several threads.</param>
internal sealed class RandomRouting(Func<double> nextDouble) : ListRouting
{
    private readonly Lock _gate = new();

    protected override ReadOnlySpan<PID> Choose(PID[] routees)
    {
        lock (_gate) return new ReadOnlySpan<PID>(routees, (int)(nextDouble() * routees.Length), 1);
    }
}

internal sealed class ConsistentHashRouting(Func<string, uint> hash, int replicaCount, Func<object, string>? messageHasher) : RoutingLogic
{
    // A node of the ring is an array of its one PID, to be given out as a span.
    private HashRing<PID[]>? _ring;

    public override void SetRoutees(ImmutableArray<PID> routees) =>
        Volatile.Write(
            ref _ring,
            routees.IsEmpty ? null : new HashRing<PID[]>(routees.Select(pid => new[] { pid }), static node => node[0].ToDiagnosticString(), hash, replicaCount));

    public override ReadOnlySpan<PID> Choose(object message) => Volatile.Read(ref _ring) is { } ring ? ring.GetNode(KeyOf(message)) : default;

    private string KeyOf(object message) =>
        messageHasher?.Invoke(message)
        ?? (message as IHashable)?.HashBy()
        ?? throw new NotSupportedException($"a consistent-hash router needs messages that implement {nameof(IHashable)}, or a message hasher; got {message.GetType()}");
}
