using Proto.Remote.Wire;

namespace Proto.Remote.Endpoints;

/// <summary>
/// Turns the two lanes of a queue into batches for one stream, and knows at any time what has certainly not left (it waits), what may have left (it is
/// in flight), and which requests are unanswered. Owned by the stream's writer. In each round at most one frame of the priority lane goes first, then
/// at most one of the other lane: neither starves, and a priority message waits for one bulk frame at most.
/// </summary>
sealed class OutgoingBatches : IDisposable
{
    readonly ActorSystem _system;
    readonly OutgoingQueue _queue;
    readonly BatchEncoder _encoder;
    readonly WireWriter _output = new(64 * 1024);
    readonly PendingMessages _priority;
    readonly PendingMessages _normal;
    readonly OutstandingRequests _outstanding;
    readonly RemoteMetrics _metrics;
    readonly Action<OutgoingMessage, Exception> _refused;

    /// <param name="system">The sending system.</param>
    /// <param name="config">Serializers and limits.</param>
    /// <param name="metrics">Counts what is serialised.</param>
    /// <param name="queue">What waits.</param>
    /// <param name="targetIdPrefix">Taken off the ids of targets.</param>
    /// <param name="refused">Gets messages that cannot be written.</param>
    public OutgoingBatches(
        ActorSystem system, RemoteConfigBase config, RemoteMetrics metrics, OutgoingQueue queue, string targetIdPrefix, Action<OutgoingMessage, Exception> refused)
    {
        _system = system;
        _queue = queue;
        _encoder = new BatchEncoder(system, config.Serialization, system.Address, config.EndpointWriterOptions, config.MaxSentFrameBytes, targetIdPrefix);
        _priority = new PendingMessages(queue, priority: true);
        _normal = new PendingMessages(queue, priority: false);
        _outstanding = new OutstandingRequests(system);
        _metrics = metrics;
        _refused = refused;
    }

    /// <summary>The frames of this round; empty when all of its messages were refused.</summary>
    public ReadOnlyMemory<byte> Output => _output.WrittenMemory;

    /// <summary>Sets what the peer of the next connection takes; 0 when it did not say.</summary>
    public void LimitTo(int peerMaxMessageBytes) => _encoder.LimitTo(peerMaxMessageBytes);

    /// <summary>Whether anything waits.</summary>
    public bool HasWork => !_priority.Waiting.IsEmpty || !_normal.Waiting.IsEmpty || _queue.HasQueued;

    /// <summary>
    /// Encodes the next round into <see cref="Output"/>; false when nothing waits. What was in flight is considered to have left: the transport took it,
    /// and takes more.
    /// </summary>
    public bool EncodeNext()
    {
        if (!HasWork) return false;
        Left();
        _priority.Refill();
        _normal.Refill();
        _output.Clear();
        Encode(_priority);
        Encode(_normal);
        // Nothing will be written, and what was refused must give its room back.
        if (_output.Length == 0) Left();
        return true;
    }

    /// <summary>Everything that was encoded is out of our hands.</summary>
    public void Left()
    {
        Remember(_priority.InFlight);
        Remember(_normal.InFlight);
        _priority.Forget();
        _normal.Forget();
    }

    /// <summary>Not a byte of <see cref="Output"/> was handed to the transport.</summary>
    public void Rewind()
    {
        _priority.Rewind();
        _normal.Rewind();
    }

    /// <summary>The stream is lost: what was in flight may have arrived, and so may all unanswered requests. All of them are told.</summary>
    public void StreamLost(string reason)
    {
        foreach (ref readonly var message in _priority.InFlight) DeadLetters.MaybeSent(_system, message, reason);
        foreach (ref readonly var message in _normal.InFlight) DeadLetters.MaybeSent(_system, message, reason);
        _priority.Forget();
        _normal.Forget();
        _outstanding.Abandon(reason);
    }

    /// <summary>The next message that waits, to be given up; false when there is none. Nothing may be in flight.</summary>
    public bool TryTakeOne(out OutgoingMessage message)
    {
        do
        {
            if (_priority.Refill())
            {
                message = _priority.TakeOne();
            }
            else if (_normal.Refill())
            {
                message = _normal.TakeOne();
            }
            else
            {
                message = default;
                return false;
            }
        }
        while (message.IsRefused);

        return true;
    }

    public void Dispose()
    {
        _encoder.Dispose();
        _output.Dispose();
    }

    void Encode(PendingMessages lane)
    {
        if (lane.Waiting.IsEmpty) return;
        var taken = _encoder.Encode(lane.Waiting, _output, _refused);
        lane.Encoded(taken);
        if (_metrics.CountsSerialized) _metrics.Serialized(lane.InFlight);
    }

    void Remember(ReadOnlySpan<OutgoingMessage> messages)
    {
        foreach (ref readonly var message in messages)
        {
            if (message.Sender is { } sender) _outstanding.Add(sender);
        }
    }
}
