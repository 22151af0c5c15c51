using Proto.Remote.Wire;

namespace Proto.Remote.Endpoints;

/// <summary>
/// What the writer of a stream has taken from one lane: first the messages in flight (encoded, perhaps handed to the transport already), then
/// those that no byte of has left. The latter survive a lost connection.
/// </summary>
sealed class PendingMessages(OutgoingQueue queue, bool priority)
{
    OutgoingMessage[] _messages = new OutgoingMessage[16];
    int _first;
    int _inFlight;
    int _end;

    /// <summary>Not in flight. The encoder may mark some of them as refused.</summary>
    public Span<OutgoingMessage> Waiting => _messages.AsSpan(_first + _inFlight, _end - _first - _inFlight);

    public ReadOnlySpan<OutgoingMessage> InFlight => _messages.AsSpan(_first, _inFlight);

    /// <summary>Takes what is queued when nothing waits and nothing is in flight; false when nothing waits then either.</summary>
    public bool Refill()
    {
        if (_first + _inFlight < _end) return true;
        if (_inFlight > 0) return false;
        _first = 0;
        _end = queue.Take(priority, ref _messages);
        return _end > 0;
    }

    /// <summary>The next <paramref name="count"/> are encoded.</summary>
    public void Encoded(int count) => _inFlight += count;

    /// <summary>Nothing of what was encoded was handed to the transport: it waits again.</summary>
    public void Rewind() => _inFlight = 0;

    /// <summary>What was in flight is out of our hands.</summary>
    public void Forget()
    {
        if (_inFlight == 0) return;
        long bytes = 0;
        var done = _messages.AsSpan(_first, _inFlight);
        foreach (ref readonly var message in done) bytes += message.Bytes;
        done.Clear();
        queue.Release(priority, _inFlight, bytes);
        _first += _inFlight;
        _inFlight = 0;
    }

    /// <summary>The first one that waits, to be given up. Nothing may be in flight.</summary>
    public OutgoingMessage TakeOne()
    {
        var message = _messages[_first];
        Encoded(1);
        Forget();
        return message;
    }
}
