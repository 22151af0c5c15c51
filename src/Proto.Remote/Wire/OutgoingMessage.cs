namespace Proto.Remote.Wire;

/// <summary>A message on its way to another system, not serialised yet: immutable by the rule that messages are.</summary>
readonly struct OutgoingMessage(PID target, object message, PID? sender, Proto.MessageHeader? header, int bytes = 0)
{
    public readonly PID Target = target;
    public readonly object Message = message;
    public readonly PID? Sender = sender;
    public readonly Proto.MessageHeader? Header = header;

    /// <summary>What it counts for in the queue's bytes: about its size on the wire.</summary>
    public readonly int Bytes = bytes;

    /// <summary>Somebody was told that it cannot be sent; its bytes are still counted.</summary>
    public bool IsRefused => Message is null;

    public OutgoingMessage Refused() => new(null!, null!, null, null, Bytes);
}
