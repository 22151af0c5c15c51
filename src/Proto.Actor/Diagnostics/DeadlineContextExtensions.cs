using Microsoft.Extensions.Logging;

namespace Proto;

public static class DeadlineContextExtensions
{
    /// <summary>Warns of messages that the actor handles for longer than the deadline.</summary>
    public static Props WithDeadlineDecorator(this Props props, TimeSpan deadline, ILogger logger)
    {
        var slow = new SlowReceives(deadline, logger, LogLevel.Warning);
        return props.WithContextDecorator(context => new DeadlineContext(context, slow));
    }

    private sealed class DeadlineContext(IContext context, SlowReceives slow) : ActorContextDecorator(context)
    {
        public override Task Receive(MessageEnvelope envelope) => slow.Observe(this, envelope, () => base.Receive(envelope));
    }
}

public static class ActorSystemConfigExtensions
{
    /// <summary>Logs messages that any actor handles for longer than the deadline. For development: it costs a timer per message.</summary>
    public static ActorSystemConfig WithDeveloperReceiveLogging(this ActorSystemConfig config, TimeSpan receiveDeadline, LogLevel logLevel = LogLevel.Error)
    {
        var slow = new SlowReceives(receiveDeadline, (config.LoggerFactory ?? Log.Factory).CreateLogger("Proto.Receive"), logLevel);
        var configure = config.ConfigureProps;
        return config.WithConfigureProps(props => configure(props).WithReceiverMiddleware(
            next => (context, envelope) => slow.Observe(context, envelope, () => next(context, envelope))));
    }
}
