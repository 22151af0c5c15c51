using System.Globalization;
using System.Text;

namespace ActorCluster.Simulation.Histories;

/// <summary>What the checker found.</summary>
public enum Verdict
{
    Linearizable,
    NotLinearizable,

    /// <summary>The search grew beyond its bound: nothing is known. A test treats it as a failure.</summary>
    GaveUp,
}

/// <summary>The verdict over a history; of the first key that failed, what was found.</summary>
public sealed record LinearizabilityResult(Verdict Verdict, string? Key, string Explanation)
{
    public bool Ok => Verdict == Verdict.Linearizable;
}

/// <summary>
/// Is there an order of the operations, respecting real time, in which a single copy of the key would have given these
/// results? Search of Wing and Gong (1993) with Lowe's memory of visited configurations (2017): a configuration is the
/// set of operations already placed and the value they gave. Keys are checked one by one, since linearizability is local
/// (Herlihy and Wing, 1990). An operation whose outcome is unknown may be placed anywhere after its invocation, or left out.
/// </summary>
public static class LinearizabilityChecker
{
    /// <summary>Configurations visited per key before giving up.</summary>
    public const int DefaultMaxConfigurations = 2_000_000;

    public static LinearizabilityResult Check(IEnumerable<Operation> history, int maxConfigurations = DefaultMaxConfigurations)
    {
        var byKey = new SortedDictionary<string, List<Operation>>(StringComparer.Ordinal);
        foreach (var operation in history)
        {
            if (!byKey.TryGetValue(operation.Key, out var list)) byKey.Add(operation.Key, list = []);
            list.Add(operation);
        }

        foreach (var (key, operations) in byKey)
        {
            var verdict = CheckKey(operations, maxConfigurations, out var explanation);
            if (verdict != Verdict.Linearizable) return new LinearizabilityResult(verdict, key, explanation);
        }

        return new LinearizabilityResult(Verdict.Linearizable, null, "");
    }

    static Verdict CheckKey(List<Operation> operations, int maxConfigurations, out string explanation)
    {
        var relevant = Relevant(operations);
        var search = new Search(relevant, maxConfigurations);
        var verdict = search.Run();
        explanation = verdict == Verdict.Linearizable ? "" : Explain(relevant, search.LongestPrefix);
        return verdict;
    }

    /// <summary>
    /// Leaves out what cannot matter: operations that had no effect, reads that returned nothing, and unknown writes that
    /// nobody can have seen. An unknown Put of a value that no Get returned may be taken as never executed: placed
    /// anywhere, it would only be overwritten unseen. That holds only while nothing else observes the key's value, so
    /// not for keys with Add, nor with a Delete that tells whether the key existed.
    /// </summary>
    static List<Operation> Relevant(List<Operation> operations)
    {
        var onlyGetsObserve = !operations.Any(o =>
            o.Kind == OperationKind.Add || (o.Kind == OperationKind.Delete && o.Result is not null));
        var seen = operations.Where(o => o.Kind == OperationKind.Get && o.Outcome == OperationOutcome.Ok).Select(o => o.Result).ToHashSet();
        return
        [
            .. operations.Where(o => o.Outcome switch
            {
                OperationOutcome.Ok => true,
                OperationOutcome.NotExecuted => false,
                _ when o.Kind == OperationKind.Get => false,
                _ when o.Kind == OperationKind.Put && onlyGetsObserve => seen.Contains(o.Argument),
                _ => true,
            }).OrderBy(o => o.Invoked),
        ];
    }

    static string Explain(List<Operation> operations, IReadOnlyList<int> prefix)
    {
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"{operations.Count} operations; longest order found places {prefix.Count}:");
        foreach (var placed in prefix.TakeLast(12)) text.AppendLine(CultureInfo.InvariantCulture, $"  placed  {operations[placed]}");
        var done = prefix.ToHashSet();
        foreach (var i in Enumerable.Range(0, operations.Count).Where(i => !done.Contains(i)).Take(24))
            text.AppendLine(CultureInfo.InvariantCulture, $"  open    {operations[i]}");
        return text.ToString();
    }

    /// <summary>Depth-first search over orders; events are a doubly linked list from which placed operations are lifted out.</summary>
    sealed class Search
    {
        readonly List<Operation> _operations;
        readonly int _maxConfigurations;
        readonly Event _head = new(-1, false);
        readonly HashSet<Configuration> _visited = [];
        readonly ulong[] _placed;
        int _openRequired;

        public Search(List<Operation> operations, int maxConfigurations)
        {
            _operations = operations;
            _maxConfigurations = maxConfigurations;
            _placed = new ulong[(operations.Count + 63) / 64];
            _openRequired = operations.Count(o => o.Outcome == OperationOutcome.Ok);

            var events = new List<(long At, Event Event)>();
            for (var i = 0; i < operations.Count; i++)
            {
                var call = new Event(i, true);
                var end = new Event(i, false);
                call.End = end;
                events.Add((operations[i].Invoked, call));
                // An operation with an unknown end never has to be placed: its return is beyond the history's end.
                if (operations[i].Outcome == OperationOutcome.Ok) events.Add((operations[i].Returned, end));
            }

            events.Sort((a, b) => a.At.CompareTo(b.At));
            var last = _head;
            foreach (var (_, e) in events)
            {
                last.Next = e;
                e.Previous = last;
                e.Linked = true;
                last = e;
            }
        }

        public IReadOnlyList<int> LongestPrefix { get; private set; } = [];

        public Verdict Run()
        {
            var order = new Stack<(Event Call, string? Before)>();
            string? value = null;
            var current = _head.Next;
            while (_openRequired > 0)
            {
                if (current is { IsCall: true } && RegisterModel.TryApply(_operations[current.Index], value, out var after))
                {
                    Set(current.Index, true);
                    if (_visited.Add(new Configuration((ulong[])_placed.Clone(), after)))
                    {
                        if (_visited.Count > _maxConfigurations) return Verdict.GaveUp;
                        order.Push((current, value));
                        value = after;
                        Lift(current);
                        if (order.Count > LongestPrefix.Count) LongestPrefix = [.. order.Reverse().Select(o => o.Call.Index)];
                        current = _head.Next;
                        continue;
                    }

                    Set(current.Index, false);
                }

                if (current is { IsCall: true })
                {
                    current = current.Next;
                    continue;
                }

                // The return of an operation that is not placed yet, or the end: what is placed so far leads nowhere.
                if (!order.TryPop(out var undone)) return Verdict.NotLinearizable;
                value = undone.Before;
                Set(undone.Call.Index, false);
                Unlift(undone.Call);
                current = undone.Call.Next;
            }

            return Verdict.Linearizable;
        }

        void Set(int index, bool placed)
        {
            if (placed) _placed[index >> 6] |= 1UL << (index & 63);
            else _placed[index >> 6] &= ~(1UL << (index & 63));
        }

        void Lift(Event call)
        {
            if (_operations[call.Index].Outcome == OperationOutcome.Ok) _openRequired--;
            Remove(call);
            if (call.End!.Linked) Remove(call.End);
        }

        void Unlift(Event call)
        {
            if (_operations[call.Index].Outcome == OperationOutcome.Ok)
            {
                _openRequired++;
                Insert(call.End!);
            }

            Insert(call);
        }

        static void Remove(Event e)
        {
            e.Previous!.Next = e.Next;
            if (e.Next is not null) e.Next.Previous = e.Previous;
        }

        // Undoes the latest removal: neighbours are still remembered.
        static void Insert(Event e)
        {
            e.Previous!.Next = e;
            if (e.Next is not null) e.Next.Previous = e;
        }
    }

    sealed class Event(int index, bool isCall)
    {
        public int Index { get; } = index;

        public bool IsCall { get; } = isCall;

        public bool Linked { get; set; }

        public Event? End { get; set; }

        public Event? Next { get; set; }

        public Event? Previous { get; set; }
    }

    readonly struct Configuration(ulong[] placed, string? value) : IEquatable<Configuration>
    {
        readonly ulong[] _placed = placed;
        readonly string? _value = value;

        public bool Equals(Configuration other) => _value == other._value && _placed.AsSpan().SequenceEqual(other._placed);

        public override bool Equals(object? obj) => obj is Configuration other && Equals(other);

        public override int GetHashCode()
        {
            // Only membership is asked of the set, never its order, so a hash that differs per process is harmless here.
            var hash = new HashCode();
            foreach (var word in _placed) hash.Add(word);
            hash.Add(_value, StringComparer.Ordinal);
            return hash.ToHashCode();
        }
    }
}
