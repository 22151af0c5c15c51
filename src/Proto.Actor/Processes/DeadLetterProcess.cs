using Microsoft.Extensions.Logging;

namespace Proto;

/// <summary>A message that reached nobody.</summary>
/// <param name="Pid">Where it was sent.</param>
/// <param name="Message">The message without envelope.</param>
/// <param name="Sender">Who waits for an answer; told <see cref="DeadLetterResponse"/>.</param>
/// <param name="Header">Its headers.</param>
public sealed record DeadLetterEvent(PID Pid, object Message, PID? Sender, MessageHeader? Header = null)
{
    /// <summary>Why, when it is not that there is no such process: a full mailbox, or what made the actor stop.</summary>
    public string? Reason { get; init; }

    /// <summary>Whether the message certainly reached nobody, or may have.</summary>
    public DeliveryOutcome Outcome { get; init; }
}

/// <summary>
/// The target of a request does not exist, stopped before it answered, or may not be reached from here: nothing was executed, unless
/// <see cref="PassedOnTo"/> says that the target did take the message.
/// </summary>
public sealed class DeadLetterException : Exception
{
    /// <summary>The header of a <see cref="DeadLetterResponse"/> that says why, when it is not that the target does not exist.</summary>
    internal const string ReasonHeader = "dead-letter-reason";

    public DeadLetterException(PID pid) : base($"{pid.ToDiagnosticString()} no longer exists") => Pid = pid;

    public DeadLetterException(PID pid, string reason) : base($"the message to {pid.ToDiagnosticString()} was not delivered: {reason}") => Pid = pid;

    public PID Pid { get; }

    /// <summary>To whom <see cref="Pid"/> has forwarded the message, which was not delivered there; null when it never reached <see cref="Pid"/>.</summary>
    public PID? PassedOnTo { get; internal init; }

    /// <summary>What a request to <paramref name="target"/> ends with that was answered like this.</summary>
    internal static DeadLetterException Of(PID target, DeadLetterResponse answer, MessageHeader header)
    {
        var passedOnTo = answer.Target is { } lost && !IsSame(target, lost) ? lost : null;
        return header.TryGetValue(ReasonHeader, out var reason)
            ? new DeadLetterException(target, reason) { PassedOnTo = passedOnTo }
            : new DeadLetterException(target) { PassedOnTo = passedOnTo };
    }

    /// <summary>By their ids: a system may have several addresses. What a member calls <c>$client/{system id}/{id}</c> is <c>{id}</c> for that client.</summary>
    private static bool IsSame(PID target, PID lost) =>
        string.Equals(target.Id, lost.Id, StringComparison.Ordinal) || target.Id.StartsWith(ActorSystem.Client + "/", StringComparison.Ordinal);
}

/// <summary>Takes what nobody can take: publishes <see cref="DeadLetterEvent"/>, answers requesters and watchers, logs within limits.</summary>
public sealed partial class DeadLetterProcess : Process
{
    private readonly ILogger _logger;
    private readonly LogThrottle _throttle;

    internal DeadLetterProcess(ActorSystem system) : base(system)
    {
        var config = system.Config;
        _logger = system.LoggerFactory.CreateLogger<DeadLetterProcess>();
        _throttle = new LogThrottle(config.TimeProvider, config.DeadLetterThrottleCount, config.DeadLetterThrottleInterval);
    }

    protected internal override void SendUserMessage(PID pid, object message) => Undelivered(pid, message, null);

    /// <param name="pid">Where it was sent.</param>
    /// <param name="message">The message, or its envelope.</param>
    /// <param name="reason">Why, when it is not that there is no such process. Told to the log, the event stream and the sender.</param>
    internal void Undelivered(PID pid, object message, string? reason)
    {
        var (bare, sender, header) = MessageEnvelope.Unwrap(message);
        System.Metrics.DeadLetter(bare);
        System.EventStream.Publish(new DeadLetterEvent(pid, bare, sender, header) { Reason = reason });
        Log(pid, bare, sender, reason);

        // A poison pill to nobody has reached its goal, whoever sent it.
        if (sender is null || bare is PoisonPill) return;

        var response = new DeadLetterResponse { Target = pid };
        sender.SendUserMessage(
            System, reason is null ? response : new MessageEnvelope(response, null, MessageHeader.Empty.With(DeadLetterException.ReasonHeader, reason)));
    }

    protected internal override void SendSystemMessage(PID pid, SystemMessage message)
    {
        if (message is Watch watch)
        {
            watch.Watcher.SendSystemMessage(System, new Terminated { Who = pid, Why = TerminatedReason.NotFound });
            return;
        }

        if (message is ProcessDiagnosticsRequest request)
        {
            request.NotFound();
            return;
        }

        if (message is IIgnoreDeadLetterLogging) return;

        System.Metrics.DeadLetter(message);
        System.EventStream.Publish(new DeadLetterEvent(pid, message, null));
    }

    /// <summary>Reports a message that may have reached its target. Nobody is answered: a <see cref="DeadLetterResponse"/> would be a lie.</summary>
    internal void ReportUnknownOutcome(PID pid, object message, PID? sender, MessageHeader? header, string reason)
    {
        System.Metrics.DeadLetter(message);
        System.EventStream.Publish(new DeadLetterEvent(pid, message, sender, header) { Outcome = DeliveryOutcome.Unknown, Reason = reason });
    }

    private void Log(PID pid, object message, PID? sender, string? reason)
    {
        if (message is IIgnoreDeadLetterLogging || !_logger.IsEnabled(LogLevel.Information)) return;
        if (sender is not null && !System.Config.DeadLetterRequestLogging) return;

        if (!_throttle.TryEnter(out var suppressed)) return;

        if (suppressed > 0) LogSuppressed(_logger, suppressed);
        LogDeadLetter(_logger, System.Address, pid.ToDiagnosticString(), message.GetType().Name, sender?.ToDiagnosticString() ?? "no sender", reason ?? "there is no such process");
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "[{Address}] {MessageType} ({Sender}) was not delivered to {Target}: {Reason}")]
    private static partial void LogDeadLetter(ILogger logger, string address, string target, string messageType, string sender, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Count} more dead letters were not logged")]
    private static partial void LogSuppressed(ILogger logger, int count);
}
