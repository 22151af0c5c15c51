namespace Proto.Remote;

/// <summary>
/// Marks messages that other messages to the same system must not hold up, like gossip and heartbeats: they have a lane of their own.
/// They keep their order among themselves, and may overtake any message that is not marked.
/// </summary>
public interface IRemotePriorityMessage;
