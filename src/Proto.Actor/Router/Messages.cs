namespace Proto.Router.Messages;

/// <summary>Marks what a router does itself instead of routing it. Done at once, on the sender's thread: a sender's next message sees the effect.</summary>
public abstract record RouterManagementMessage;

/// <summary>Routes to this process too, until it ends or is removed.</summary>
public sealed record RouterAddRoutee(PID PID) : RouterManagementMessage;

/// <summary>Routes no more to this process, which goes on. A pool becomes smaller by it.</summary>
public sealed record RouterRemoveRoutee(PID PID) : RouterManagementMessage;

/// <summary>Asks for <see cref="Routees"/>.</summary>
public sealed record RouterGetRoutees : RouterManagementMessage;

/// <summary>Goes to every routee, with the sender of this message.</summary>
public sealed record RouterBroadcastMessage(object Message) : RouterManagementMessage;

/// <summary>The answer to <see cref="RouterGetRoutees"/>.</summary>
public sealed record Routees(IReadOnlyList<PID> Pids);
