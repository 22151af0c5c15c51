namespace Proto;

/// <summary>Marks what travels in a mailbox's system queue: handled before user messages, also while the mailbox is suspended.</summary>
public interface SystemMessage;

/// <summary>Marks a user message that the engine handles itself.</summary>
public interface IAutoReceiveMessage;

/// <summary>Marks messages whose loss is expected, so that it is not logged.</summary>
public interface IIgnoreDeadLetterLogging;

/// <summary>Marks the engine's own traffic.</summary>
public interface InfrastructureMessage : IIgnoreDeadLetterLogging;

/// <summary>A user message that does not postpone the actor's receive timeout.</summary>
public interface INotInfluenceReceiveTimeout;

/// <summary>A message that the engine answers with <see cref="GetAutoResponse"/> before the actor sees it.</summary>
public interface IAutoRespond
{
    object GetAutoResponse(IContext context);
}

public partial class Stop : SystemMessage, IIgnoreDeadLetterLogging
{
    public static readonly Stop Instance = new();
}

public partial class Watch : SystemMessage, InfrastructureMessage
{
    public Watch(PID watcher) => Watcher = watcher;
}

public partial class Unwatch : SystemMessage, InfrastructureMessage
{
    public Unwatch(PID watcher) => Watcher = watcher;
}

public partial class Terminated : SystemMessage, InfrastructureMessage;

/// <summary>Stops the actor when the queue before this message is done.</summary>
public partial class PoisonPill : IAutoReceiveMessage, IIgnoreDeadLetterLogging
{
    public static readonly PoisonPill Instance = new();
}

/// <summary>Asks an actor whether it is there; it answers <see cref="Touched"/> in its own turn.</summary>
public partial class Touch : IAutoReceiveMessage, InfrastructureMessage
{
    public static readonly Touch Instance = new();
}

public partial class Touched : InfrastructureMessage;

/// <summary>The answer to a request whose target does not exist.</summary>
public partial class DeadLetterResponse : InfrastructureMessage;

/// <summary>The answer to a request that was on its way to another system when the connection was lost: it may have been executed.</summary>
public partial class UnknownOutcomeResponse : InfrastructureMessage;

/// <summary>Stops user messages until <see cref="ResumeMailbox"/>; sent by a failing actor to itself.</summary>
public sealed class SuspendMailbox : SystemMessage
{
    public static readonly SuspendMailbox Instance = new();

    private SuspendMailbox() { }
}

public sealed class ResumeMailbox : SystemMessage
{
    public static readonly ResumeMailbox Instance = new();

    /// <summary>Sent by a restarted actor to itself when its new instance has started.</summary>
    internal static readonly ResumeMailbox ForReplacement = new();

    private ResumeMailbox() { }
}

/// <summary>A supervisor's order to replace the actor's instance.</summary>
public sealed record Restart(Exception Reason) : SystemMessage;

/// <summary>A child's report to its supervisor. The child is suspended until the supervisor decides.</summary>
/// <param name="Who">The failed child.</param>
/// <param name="Reason">What it threw.</param>
/// <param name="RestartStatistics">Its earlier failures.</param>
/// <param name="Message">What it was handling.</param>
public sealed record Failure(PID Who, Exception Reason, RestartStatistics RestartStatistics, object? Message) : SystemMessage;

/// <summary>Code to run in the actor's own turn, with the message that was current when it was asked for.</summary>
/// <param name="Action">What to run.</param>
/// <param name="Message">The message, or its envelope.</param>
/// <param name="Actor">The instance that asked; another instance (after a restart) never runs it.</param>
public sealed record Continuation(Func<Task> Action, object? Message, IActor Actor) : SystemMessage;

/// <summary>The receive timer fired; whether the actor was idle for long enough is decided in its own turn.</summary>
internal sealed class ReceiveTimerFired : SystemMessage
{
    public static readonly ReceiveTimerFired Instance = new();
}

/// <summary>The pause before replacing an instance that failed to start is over.</summary>
internal sealed class RestartDelayElapsed : SystemMessage
{
    public static readonly RestartDelayElapsed Instance = new();
}
