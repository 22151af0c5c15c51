namespace Proto;

/// <summary>A message with its sender and headers. A message without either travels bare.</summary>
public sealed record MessageEnvelope
{
    private readonly object? _sender; // a PID, or a request under way, whose PID is made when it is asked for
    private readonly MessageHeader? _header;

    public MessageEnvelope(object message, PID? sender, MessageHeader? header = null)
    {
        Message = message;
        _sender = sender;
        _header = header;
    }

    private MessageEnvelope(object message, IRequest request, MessageHeader? header)
    {
        Message = message;
        _sender = request;
        _header = header;
    }

    public object Message { get; private init; }

    public PID? Sender
    {
        get => _sender as PID ?? Request?.Pid;
        private init => _sender = value;
    }

    public MessageHeader Header
    {
        get => _header ?? MessageHeader.Empty;
        private init => _header = value;
    }

    /// <summary>The request that this envelope brings, when it was made in this system.</summary>
    internal IRequest? Request => _sender as IRequest;

    /// <summary>The message as an envelope: itself when it is one.</summary>
    public static MessageEnvelope Wrap(object message) => message as MessageEnvelope ?? new MessageEnvelope(message, null);

    public static MessageEnvelope Wrap(object message, PID sender) =>
        message is MessageEnvelope envelope ? envelope.WithSender(sender) : new MessageEnvelope(message, sender);

    internal static MessageEnvelope ForRequest(object message, IRequest request) =>
        message is MessageEnvelope envelope
            ? new MessageEnvelope(envelope.Message, request, envelope._header)
            : new MessageEnvelope(message, request, null);

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
