namespace Proto.Remote;

/// <summary>
/// A message is over a limit, <see cref="EndpointWriterOptions.MaxMessageBytes"/> of this system or of the peer, or that of a frame, and was not
/// sent, or not delivered.
/// </summary>
public sealed class MessageTooLargeException(string typeName, int bytes, int limit, string limitName = "the lower EndpointWriterOptions.MaxMessageBytes of both systems")
    : Exception($"{typeName} of {bytes} bytes is over the limit of {limit} ({limitName})")
{
    public int Bytes { get; } = bytes;
    public int Limit { get; } = limit;
}
