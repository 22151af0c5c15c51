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

/// <summary>A member was put on this system's block list.</summary>
public record MemberBlocked(string MemberId, string Reason);
