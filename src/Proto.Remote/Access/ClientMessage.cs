namespace Proto.Remote;

/// <summary>A message that a client wants delivered here, before it is deserialised.</summary>
/// <param name="Connection">Over which stream it came.</param>
/// <param name="TargetId">The id of the actor that it is for.</param>
/// <param name="TypeName">The message's type as it travels: a protobuf full name, or what another serializer names it.</param>
public readonly record struct ClientMessage(IncomingConnection Connection, string TargetId, string TypeName);
