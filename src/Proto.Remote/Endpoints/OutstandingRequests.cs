namespace Proto.Remote.Endpoints;

/// <summary>
/// The requests of this system that left over one stream and may be unanswered. HTTP/2 does not say what the peer has read: when the stream is lost,
/// nobody knows whether they are executed, and they end at once instead of after their timeout. What is remembered is the future's PID: one that
/// has been answered ignores its end, so nothing needs to be removed when a reply comes. Bounded by the futures of the system. Owned by the stream's writer.
/// </summary>
sealed class OutstandingRequests(ActorSystem system)
{
    const int FirstSweep = 1024;

    // By slot of the system's shared future: a slot's later request replaces an earlier one, which must have ended.
    PID?[] _shared = [];
    readonly List<PID> _others = [];
    int _sweepAt = FirstSweep;

    /// <summary>Remembered requests, answered ones included.</summary>
    public int Count => _shared.Count(static sender => sender is not null) + _others.Count;

    public void Add(PID sender)
    {
        // Asking a PID of another system for its process would open a way to that system.
        if (!IsOwn(sender.Address)) return;
        switch (sender.Ref(system))
        {
            case SharedFutureProcess shared when shared == system.SharedFuture:
                if (sender.RequestId == 0) return;
                if (_shared.Length == 0) _shared = new PID?[shared.Size];
                _shared[(sender.RequestId - 1) % (uint)_shared.Length] = sender;
                break;
            case IFutureProcess:
                if (_others.Count >= _sweepAt) Sweep();
                _others.Add(sender);
                break;
        }
    }

    /// <summary>Ends those that are still unanswered, and forgets all.</summary>
    public void Abandon(string reason)
    {
        var answer = new UnknownOutcomeResponse { Reason = reason };
        foreach (var sender in _shared) End(sender, answer);
        foreach (var sender in _others) End(sender, answer);
        Array.Clear(_shared);
        _others.Clear();
    }

    void End(PID? sender, UnknownOutcomeResponse answer)
    {
        if (sender is not null && sender.Ref(system) is IFutureProcess futures) futures.Find(sender)?.TryReply(answer);
    }

    bool IsOwn(string address) =>
        string.Equals(address, system.Address, StringComparison.Ordinal) || string.Equals(address, ActorSystem.NoHost, StringComparison.Ordinal);

    /// <summary>A future with a process of its own leaves the registry when it is answered, one of a batch leaves its slot.</summary>
    void Sweep()
    {
        _others.RemoveAll(sender => sender.Ref(system) is not IFutureProcess futures || futures.Find(sender) is null);
        _sweepAt = Math.Max(FirstSweep, _others.Count * 2);
    }
}
