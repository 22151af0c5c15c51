namespace Proto.Remote;

/// <summary>A message is over <see cref="EndpointWriterOptions.MaxMessageBytes"/> and was not sent.</summary>
public sealed class MessageTooLargeException(string typeName, int bytes, int limit)
    : Exception($"{typeName} of {bytes} bytes is over the limit of {limit} (EndpointWriterOptions.MaxMessageBytes)")
{
    public int Bytes { get; } = bytes;
    public int Limit { get; } = limit;
}
