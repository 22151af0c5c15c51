using Microsoft.Extensions.Logging;

namespace Proto;

/// <summary>Reports messages that an actor handles for longer than a deadline: when it is over, and again when the actor is done.</summary>
internal sealed partial class SlowReceives(TimeSpan deadline, ILogger logger, LogLevel level)
{
    public async Task Observe(IInfoContext context, MessageEnvelope envelope, Func<Task> receive)
    {
        var time = context.System.Config.TimeProvider;
        var (self, messageType) = (context.Self, envelope.Message.GetType().Name);
        var begin = time.GetTimestamp();
        using var overdue = OneShotTimer.Start(time, deadline, () => LogOverdue(logger, level, self.ToDiagnosticString(), messageType, deadline));
        await receive();

        var duration = time.GetElapsedTime(begin);
        if (duration >= deadline) LogSlow(logger, level, self.ToDiagnosticString(), messageType, duration, deadline);
    }

    [LoggerMessage(Message = "{Self} still handles {MessageType} after {Deadline}")]
    private static partial void LogOverdue(ILogger logger, LogLevel level, string self, string messageType, TimeSpan deadline);

    [LoggerMessage(Message = "{Self} handled {MessageType} for {Duration}, longer than {Deadline}")]
    private static partial void LogSlow(ILogger logger, LogLevel level, string self, string messageType, TimeSpan duration, TimeSpan deadline);
}
