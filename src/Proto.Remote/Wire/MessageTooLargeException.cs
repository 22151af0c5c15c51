namespace Proto.Remote;

/// <summary>A message is over a limit, <see cref="EndpointWriterOptions.MaxMessageBytes"/> or that of a frame, and was not sent.</summary>
public sealed class MessageTooLargeException(string typeName, int bytes, int limit, string limitName = "EndpointWriterOptions.MaxMessageBytes")
    : Exception($"{typeName} of {bytes} bytes is over the limit of {limit} ({limitName})")
{
    public int Bytes { get; } = bytes;
    public int Limit { get; } = limit;
}
