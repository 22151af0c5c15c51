namespace Proto.Deterministic.Network;

/// <summary>One direction of a connection: what is put in comes out at the other node later, in order; nothing while the link is cut.</summary>
sealed class Wire(SimulatedNetwork network, Node from, Node to)
{
    readonly Link _link = network.LinkBetween(from.Name, to.Name);
    readonly Queue<(TimeSpan Due, Action Arrive)> _underWay = [];
    readonly string _name = $"{from.Name}>{to.Name}";
    TimeSpan _lastDue;
    bool _scheduled;
    bool _closed;

    public bool Is(string fromName, string toName) =>
        string.Equals(from.Name, fromName, StringComparison.Ordinal) && string.Equals(to.Name, toName, StringComparison.Ordinal);

    public Link Link => _link;

    /// <summary>In order with what was put before it.</summary>
    public void Put(Action arrive)
    {
        if (_closed) return;
        var due = network.World.Now + network.DrawDelay(_link);
        _lastDue = due > _lastDue ? due : _lastDue;
        _underWay.Enqueue((_lastDue, arrive));
        ScheduleNext();
    }

    /// <summary>May overtake what is under way; lost when the link is cut.</summary>
    public void PutUrgent(Action arrive) => Schedule(network.World.Now + network.DrawDelay(_link), () =>
    {
        if (!_link.IsCut) arrive();
    });

    /// <summary>Nothing more arrives.</summary>
    public void Close()
    {
        _closed = true;
        _underWay.Clear();
    }

    public void Mended()
    {
        var again = network.World.Now + network.DrawDelay(_link);
        _lastDue = again > _lastDue ? again : _lastDue;
        for (var count = _underWay.Count; count > 0; count--)
        {
            var (due, arrive) = _underWay.Dequeue();
            _underWay.Enqueue((due > again ? due : again, arrive));
        }

        ScheduleNext();
    }

    void ScheduleNext()
    {
        if (_scheduled || !_underWay.TryPeek(out var next)) return;
        _scheduled = true;
        Schedule(next.Due, ArriveNext);
    }

    void ArriveNext()
    {
        _scheduled = false;
        // Mended goes on.
        if (_closed || _link.IsCut || !_underWay.TryPeek(out var next)) return;
        if (next.Due <= network.World.Now)
        {
            _underWay.Dequeue();
            next.Arrive();
        }

        ScheduleNext();
    }

    void Schedule(TimeSpan due, Action action)
    {
        var now = network.World.Now;
        network.World.After(due > now ? due - now : TimeSpan.Zero, new WorkItem(to, "arrive", _name, static state => ((Action)state!)(), action));
    }
}
