namespace Proto.Deterministic;

/// <summary>What is due at a later time. Things due at the same time come in an order that is drawn.</summary>
sealed class Agenda(SeededRandom random)
{
    readonly PriorityQueue<Entry, (TimeSpan Due, ulong Tie, ulong Order)> _entries = new();
    ulong _order;

    public bool IsEmpty => Peek() is null;

    public Entry Add(TimeSpan due, in WorkItem work)
    {
        var entry = new Entry(due, work);
        _entries.Enqueue(entry, (due, random.NextUInt64(), _order++));
        return entry;
    }

    /// <summary>The earliest entry that still stands.</summary>
    public Entry? Peek()
    {
        while (_entries.TryPeek(out var entry, out _))
        {
            if (!entry.Cancelled && !entry.Work.Node.IsDead) return entry;
            _entries.Dequeue();
        }

        return null;
    }

    public void TakeFirst() => _entries.Dequeue();

    /// <summary>What still stands, in no particular order.</summary>
    public IEnumerable<Entry> Standing() =>
        _entries.UnorderedItems.Select(item => item.Element).Where(entry => !entry.Cancelled && !entry.Work.Node.IsDead);

    public sealed class Entry(TimeSpan due, WorkItem work)
    {
        public TimeSpan Due { get; } = due;

        public WorkItem Work { get; } = work;

        public bool Cancelled { get; set; }
    }
}
