namespace Proto.Remote.Wire;

/// <summary>A message on its way to another system, not serialised yet: immutable by the rule that messages are.</summary>
readonly struct OutgoingMessage(PID target, object message, PID? sender, Proto.MessageHeader? header)
{
    public readonly PID Target = target;
    public readonly object Message = message;
    public readonly PID? Sender = sender;
    public readonly Proto.MessageHeader? Header = header;
}
