namespace Proto.Remote;

/// <summary>How a system stands to the address of another one.</summary>
public enum EndpointState
{
    /// <summary>Not connected; messages wait while attempts are made.</summary>
    Connecting,

    Connected,

    /// <summary>The circuit is open: messages become dead letters at once, until an attempt in the background succeeds.</summary>
    Unreachable,
}

/// <summary>The way to another system changed its state. Published on the event stream, on change only.</summary>
/// <param name="Address">The peer's address, as messages name it.</param>
/// <param name="ActorSystemId">The peer's system id; null while it has not answered.</param>
/// <param name="State">The new state.</param>
/// <param name="Reason">Why, for people.</param>
public record EndpointStateChanged(string Address, string? ActorSystemId, EndpointState State, string Reason);
