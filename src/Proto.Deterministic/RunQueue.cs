namespace Proto.Deterministic;

/// <summary>Something that could run now.</summary>
readonly struct WorkItem(Node node, string kind, string subject, SendOrPostCallback callback, object? state)
{
    public readonly Node Node = node;
    public readonly string Kind = kind;
    public readonly string Subject = subject;
    public readonly SendOrPostCallback Callback = callback;
    public readonly object? State = state;
}

/// <summary>What could run now. Which of it runs next is drawn: every order that the thread pool could choose may come.</summary>
sealed class RunQueue(SeededRandom random)
{
    WorkItem[] _items = new WorkItem[64];

    public int Count { get; private set; }

    public void Add(in WorkItem item)
    {
        if (Count == _items.Length) Array.Resize(ref _items, Count * 2);
        _items[Count++] = item;
    }

    public WorkItem Take()
    {
        var index = Count == 1 ? 0 : random.Next(Count);
        var taken = _items[index];
        _items[index] = _items[--Count];
        _items[Count] = default;
        return taken;
    }

    /// <summary>Drops what belongs to the node.</summary>
    public void Remove(Node node)
    {
        var kept = 0;
        for (var index = 0; index < Count; index++)
        {
            if (_items[index].Node != node) _items[kept++] = _items[index];
        }

        Array.Clear(_items, kept, Count - kept);
        Count = kept;
    }
}
