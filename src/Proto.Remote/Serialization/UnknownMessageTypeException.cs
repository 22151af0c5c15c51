namespace Proto.Remote;

/// <summary>A message cannot be serialised, or what arrived cannot be read, because nobody registered its type or serializer.</summary>
public sealed class UnknownMessageTypeException(string message) : Exception(message);
