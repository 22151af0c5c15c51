namespace Proto.Remote.Wire;

/// <summary>One envelope of a batch, its tables resolved. Points into the received frame: valid only while that is handled.</summary>
readonly ref struct IncomingEnvelope
{
    public required int TypeIndex { get; init; }
    public required string TypeName { get; init; }
    public required int SerializerId { get; init; }
    public required ReadOnlySpan<byte> Payload { get; init; }
    public required int TargetIndex { get; init; }
    public required string TargetId { get; init; }
    public required uint TargetRequestId { get; init; }
    public required PID? Sender { get; init; }
    public required uint SenderRequestId { get; init; }
    public required Proto.MessageHeader? Header { get; init; }
}
