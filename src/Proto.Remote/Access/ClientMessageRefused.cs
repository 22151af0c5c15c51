namespace Proto.Remote;

/// <summary>A client's message was not delivered, because clients may not send it. Published on the event stream.</summary>
/// <param name="ClientId">The client's system id.</param>
/// <param name="TargetId">Whom it was for.</param>
/// <param name="TypeName">The message's type as it travels.</param>
public record ClientMessageRefused(string ClientId, string TargetId, string TypeName);
