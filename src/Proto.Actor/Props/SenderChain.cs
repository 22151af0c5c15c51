using System.Collections.Immutable;
using Microsoft.Extensions.Logging;

namespace Proto;

/// <summary>Sender middleware combined to one function that ends in the delivery.</summary>
internal static partial class SenderChain
{
    private static readonly Sender s_end = static (context, target, envelope) =>
    {
        target.SendUserMessage(context.System, envelope);
        return Task.CompletedTask;
    };

    /// <summary>Null when there is no middleware: then messages need no envelope.</summary>
    public static Sender? Build(ImmutableList<Func<Sender, Sender>> middleware) =>
        middleware.IsEmpty ? null : middleware.Reverse().Aggregate(s_end, static (inner, wrap) => wrap(inner));

    /// <summary>Sends through the middleware. What it throws at once reaches the caller; what it throws later is logged.</summary>
    public static void Send(ISenderContext context, Sender chain, PID target, object message)
    {
        var sending = chain(context, target, MessageEnvelope.Wrap(message));
        if (!sending.IsCompletedSuccessfully) _ = Observe(context.System, sending, target);
    }

    private static async Task Observe(ActorSystem system, Task sending, PID target)
    {
        try
        {
            await sending;
        }
        catch (Exception reason)
        {
            LogFailed(system.LoggerFactory.CreateLogger(nameof(SenderChain)), target.ToDiagnosticString(), reason);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Sender middleware failed; the message to {Target} may be lost")]
    private static partial void LogFailed(ILogger logger, string target, Exception reason);
}
