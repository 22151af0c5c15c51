namespace Proto.Remote;

/// <summary>
/// The connection to a peer is gone and an immediate attempt to reach the same incarnation again failed. Published on the event stream.
/// A hint, not a verdict: it blocks nobody.
/// </summary>
/// <param name="ShouldBlock">Kept for source compatibility; always false.</param>
/// <param name="Address">The peer's address.</param>
/// <param name="ActorSystemId">The peer's system id; null when it never answered.</param>
public record EndpointTerminatedEvent(bool ShouldBlock, string? Address, string? ActorSystemId)
{
    public override string ToString() => $"EndpointTerminatedEvent: {ActorSystemId ?? "unknown system"} at {Address}";
}

/// <summary>
/// A message arrived and was not delivered: its type or serializer is not registered here, its bytes cannot be read, or it is too large. The
/// rest of its batch is delivered; a requester is told that nothing was executed. Published on the event stream.
/// </summary>
/// <param name="PeerAddress">Where it came from.</param>
/// <param name="Target">Who should have got it.</param>
/// <param name="TypeName">The type's name on the wire.</param>
/// <param name="SerializerId">The serializer that it names.</param>
/// <param name="Reason">Why it cannot be read.</param>
public record UnreadableMessageEvent(string PeerAddress, PID Target, string TypeName, int SerializerId, Exception Reason);

/// <summary>A member was put on this system's block list.</summary>
public record MemberBlocked(string MemberId, string Reason);
