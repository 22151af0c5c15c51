using System.Globalization;

namespace Proto.Deterministic;

/// <summary>
/// What happened in a world, step by step: a rolling hash over everything, which two runs of one seed must share, and the latest events in
/// words for a failure report.
/// </summary>
public sealed class WorldTrace
{
    const int Kept = 512;

    readonly Event[] _latest = new Event[Kept];

    internal WorldTrace() { }

    /// <summary>Hash over all events so far, the same in every OS process.</summary>
    public ulong Hash { get; private set; } = StableHash.Start;

    /// <summary>Events so far.</summary>
    public long Count { get; private set; }

    /// <summary>Gets every event and every log entry as a line of text, when set.</summary>
    public Action<string>? Listener { get; set; }

    /// <summary>The latest events, oldest first, one per line.</summary>
    public string Tail(int lines = Kept)
    {
        var first = Math.Max(0, Count - Math.Min(lines, Kept));
        var text = new List<string>();
        for (var index = first; index < Count; index++) text.Add(_latest[index % Kept].ToString());
        return string.Join('\n', text);
    }

    internal void Add(TimeSpan at, string node, string kind, string subject, string detail, ulong content = 0)
    {
        var hash = StableHash.Add(Hash, (ulong)at.Ticks);
        hash = StableHash.Add(hash, node);
        hash = StableHash.Add(hash, kind);
        hash = StableHash.Add(hash, subject);
        hash = StableHash.Add(hash, detail);
        Hash = content == 0 ? hash : StableHash.Add(hash, content);
        ref var added = ref _latest[Count++ % Kept];
        added = new Event(at, node, kind, subject, detail, content);
        Listener?.Invoke(added.ToString());
    }

    /// <summary>A line for the listener only: it is not part of what must be equal.</summary>
    internal void Note(TimeSpan at, string node, string kind, string text) => Listener?.Invoke(Line(at, node, kind, text));

    static string Line(TimeSpan at, string node, string kind, string rest) =>
        string.Create(CultureInfo.InvariantCulture, $"{at.TotalSeconds,14:F7} {node,-8} {kind,-9} {rest}");

    readonly record struct Event(TimeSpan At, string Node, string Kind, string Subject, string Detail, ulong Content)
    {
        public override string ToString()
        {
            var rest = Detail.Length == 0 ? Subject : $"{Subject} {Detail}";
            return Line(At, Node, Kind, Content == 0 ? rest : string.Create(CultureInfo.InvariantCulture, $"{rest} #{Content:x16}"));
        }
    }
}
