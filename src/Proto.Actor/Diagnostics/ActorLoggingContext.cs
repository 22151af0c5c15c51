using Microsoft.Extensions.Logging;

namespace Proto;

public static class ActorLoggingContextExtensions
{
    /// <summary>Logs what the actor receives, sends, spawns and stops.</summary>
    /// <param name="props">Of the actor.</param>
    /// <param name="logger">Where to.</param>
    /// <param name="logLevel">Of ordinary messages.</param>
    /// <param name="infrastructureLogLevel">Of the engine's own messages.</param>
    /// <param name="exceptionLogLevel">Of what the actor throws.</param>
    public static Props WithLoggingContextDecorator(
        this Props props,
        ILogger logger,
        LogLevel logLevel = LogLevel.Debug,
        LogLevel infrastructureLogLevel = LogLevel.None,
        LogLevel exceptionLogLevel = LogLevel.Error) =>
        props.WithContextDecorator(context => new ActorLoggingContext(context, logger, logLevel, infrastructureLogLevel, exceptionLogLevel));
}

internal sealed partial class ActorLoggingContext(
    IContext context, ILogger logger, LogLevel logLevel, LogLevel infrastructureLogLevel, LogLevel exceptionLogLevel) : ActorContextDecorator(context)
{
    public override async Task Receive(MessageEnvelope envelope)
    {
        var message = envelope.Message;
        var level = LevelOf(message);
        if (logger.IsEnabled(level))
        {
            LogReceive(logger, level, Self.ToDiagnosticString(), Actor?.GetType().Name, message.GetType().Name, envelope.Sender?.ToDiagnosticString());
        }

        try
        {
            await base.Receive(envelope);
        }
        catch (Exception reason)
        {
            LogFailed(logger, exceptionLogLevel, Self.ToDiagnosticString(), Actor?.GetType().Name, message.GetType().Name, reason);
            throw;
        }
    }

    public override void Send(PID target, object message)
    {
        Sending(nameof(Send), target, message);
        base.Send(target, message);
    }

    public override void Request(PID target, object message, PID? sender)
    {
        Sending(nameof(Request), target, message);
        base.Request(target, message, sender);
    }

    public override Task<T> RequestAsync<T>(PID target, object message, CancellationToken cancellationToken)
    {
        Sending(nameof(RequestAsync), target, message);
        return base.RequestAsync<T>(target, message, cancellationToken);
    }

    public override void Forward(PID target)
    {
        Sending(nameof(Forward), target, Message!);
        base.Forward(target);
    }

    public override void Respond(object message)
    {
        Sending(nameof(Respond), Sender, message);
        base.Respond(message);
    }

    public override void Respond(object message, MessageHeader header)
    {
        Sending(nameof(Respond), Sender, message);
        base.Respond(message, header);
    }

    public override PID SpawnNamed(Props props, string name, Action<IContext>? callback = null)
    {
        var pid = base.SpawnNamed(props, name, callback);
        LogAction(logger, logLevel, Self.ToDiagnosticString(), nameof(SpawnNamed), pid.ToDiagnosticString());
        return pid;
    }

    public override void Stop(PID pid)
    {
        LogAction(logger, logLevel, Self.ToDiagnosticString(), nameof(Stop), pid.ToDiagnosticString());
        base.Stop(pid);
    }

    public override void Poison(PID pid)
    {
        LogAction(logger, logLevel, Self.ToDiagnosticString(), nameof(Poison), pid.ToDiagnosticString());
        base.Poison(pid);
    }

    public override void Watch(PID pid)
    {
        LogAction(logger, logLevel, Self.ToDiagnosticString(), nameof(Watch), pid.ToDiagnosticString());
        base.Watch(pid);
    }

    public override void Unwatch(PID pid)
    {
        LogAction(logger, logLevel, Self.ToDiagnosticString(), nameof(Unwatch), pid.ToDiagnosticString());
        base.Unwatch(pid);
    }

    private void Sending(string action, PID? target, object message)
    {
        var bare = MessageEnvelope.UnwrapMessage(message)!;
        var level = LevelOf(bare);
        if (logger.IsEnabled(level)) LogSend(logger, level, Self.ToDiagnosticString(), action, bare.GetType().Name, target?.ToDiagnosticString());
    }

    private LogLevel LevelOf(object message) => message is SystemMessage or InfrastructureMessage ? infrastructureLogLevel : logLevel;

    [LoggerMessage(Message = "{Self} ({ActorType}) receives {MessageType} from {Sender}")]
    private static partial void LogReceive(ILogger logger, LogLevel level, string self, string? actorType, string messageType, string? sender);

    [LoggerMessage(Message = "{Self} ({ActorType}) failed on {MessageType}")]
    private static partial void LogFailed(ILogger logger, LogLevel level, string self, string? actorType, string messageType, Exception reason);

    [LoggerMessage(Message = "{Self}: {Action} {MessageType} to {Target}")]
    private static partial void LogSend(ILogger logger, LogLevel level, string self, string action, string messageType, string? target);

    [LoggerMessage(Message = "{Self}: {Action} {Target}")]
    private static partial void LogAction(ILogger logger, LogLevel level, string self, string action, string target);
}
