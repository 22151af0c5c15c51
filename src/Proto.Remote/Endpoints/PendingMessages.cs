using Proto.Remote.Wire;

namespace Proto.Remote.Endpoints;

/// <summary>What the writer of a stream has taken from its queue and not handed to the transport yet. It survives a lost connection.</summary>
sealed class PendingMessages(OutgoingQueue queue)
{
    OutgoingMessage[] _messages = new OutgoingMessage[16];
    int _next;
    int _end;

    public bool IsEmpty => _next == _end;

    public ReadOnlySpan<OutgoingMessage> Messages => _messages.AsSpan(_next, _end - _next);

    /// <summary>Takes what is queued when nothing is pending; false when there is still nothing.</summary>
    public bool Refill()
    {
        if (!IsEmpty) return true;
        _next = 0;
        _end = queue.Take(ref _messages);
        return _end > 0;
    }

    /// <summary>The first <paramref name="count"/> are out of our hands.</summary>
    public void Advance(int count)
    {
        _messages.AsSpan(_next, count).Clear();
        _next += count;
    }

    public OutgoingMessage TakeOne()
    {
        var message = _messages[_next];
        Advance(1);
        return message;
    }
}
