namespace Proto;

/// <summary>A message with its sender and headers. A message without either travels bare.</summary>
public sealed record MessageEnvelope
{
    private readonly MessageHeader? _header;

    public MessageEnvelope(object message, PID? sender, MessageHeader? header = null)
    {
        Message = message;
        Sender = sender;
        _header = header;
    }

    public object Message { get; private init; }

    public PID? Sender { get; private init; }

    public MessageHeader Header
    {
        get => _header ?? MessageHeader.Empty;
        private init => _header = value;
    }

    /// <summary>The message as an envelope: itself when it is one.</summary>
    public static MessageEnvelope Wrap(object message) => message as MessageEnvelope ?? new MessageEnvelope(message, null);

    public static MessageEnvelope Wrap(object message, PID sender) =>
        message is MessageEnvelope envelope ? envelope.WithSender(sender) : new MessageEnvelope(message, sender);

    public static (object message, PID? sender, MessageHeader headers) Unwrap(object message) =>
        message is MessageEnvelope envelope
            ? (envelope.Message, envelope.Sender, envelope.Header)
            : (message, null, MessageHeader.Empty);

    public static MessageHeader UnwrapHeader(object? message) => (message as MessageEnvelope)?.Header ?? MessageHeader.Empty;

    public static object? UnwrapMessage(object? message) => message is MessageEnvelope envelope ? envelope.Message : message;

    public static PID? UnwrapSender(object? message) => (message as MessageEnvelope)?.Sender;

    public MessageEnvelope WithSender(PID? sender) => this with { Sender = sender };

    public MessageEnvelope WithMessage(object message) => this with { Message = message };

    public MessageEnvelope WithHeader(MessageHeader header) => this with { Header = header };

    public MessageEnvelope WithHeader(string key, string value) => this with { Header = Header.With(key, value) };

    public MessageEnvelope MergeHeader(MessageHeader header) =>
        header.Count == 0 ? this : this with { Header = Header.With(header) };

    public string GetHeader(string key, string defaultValue = "") => Header.GetOrDefault(key, defaultValue);
}
