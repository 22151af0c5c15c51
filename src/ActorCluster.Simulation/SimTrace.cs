using System.Globalization;
using System.Text;

namespace ActorCluster.Simulation;

/// <summary>
/// The trace of a run: a hash over every event (two runs of one seed must give the same), and the last events in words
/// for a failure report.
/// </summary>
public sealed class SimTrace
{
    const int Kept = 2048;
    readonly SimEvent[] _latest = new SimEvent[Kept];

    /// <summary>Hash over all events so far.</summary>
    public ulong Hash { get; private set; } = 14695981039346656037;

    /// <summary>Events so far.</summary>
    public long Count { get; private set; }

    /// <summary>Gets every event as it happens (a replay that writes the whole trace), or null.</summary>
    public Action<SimEvent>? Listener { get; set; }

    public void Add(in SimEvent simEvent)
    {
        Mix((ulong)simEvent.AtMicros);
        foreach (var c in simEvent.Kind) Mix(c);
        Mix(simEvent.Node);
        Mix(simEvent.Group);
        Mix(simEvent.A);
        Mix(simEvent.B);
        Mix(simEvent.C);
        _latest[Count++ % Kept] = simEvent;
        Listener?.Invoke(simEvent);
    }

    /// <summary>The last events, oldest first, one per line.</summary>
    public string Tail(int lines)
    {
        var text = new StringBuilder();
        var from = Math.Max(0, Count - Math.Min(lines, Kept));
        for (var i = from; i < Count; i++) text.AppendLine(_latest[i % Kept].ToString());
        return text.ToString();
    }

    void Mix(ulong value)
    {
        Hash = (Hash ^ value) * 0x9e3779b97f4a7c15;
        Hash ^= Hash >> 32;
    }
}

/// <summary>One event of a run. What A, B and C mean depends on the kind and is written into it ("append index term count").</summary>
public readonly record struct SimEvent(long AtMicros, string Kind, ulong Node, ulong Group, ulong A, ulong B, ulong C)
{
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{AtMicros / 1000.0,12:F3} ms  node {Node} group {Group}  {Kind}: {A} {B} {C}");
}
