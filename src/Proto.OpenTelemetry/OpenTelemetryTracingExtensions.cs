using OpenTelemetry.Trace;

namespace Proto.OpenTelemetry;

public static class OpenTelemetryTracingExtensions
{
    /// <summary>Collects the activities of traced actors and contexts.</summary>
    public static TracerProviderBuilder AddProtoActorInstrumentation(this TracerProviderBuilder builder) => builder.AddSource(ProtoTags.ActivitySourceName);

    /// <summary>Traces what the actor receives and sends. The trace travels in the messages' headers.</summary>
    /// <param name="props">Of the actor; through <see cref="ActorSystemConfig.WithConfigureProps"/> of all actors.</param>
    /// <param name="sendActivitySetup">Adds tags where the actor sends.</param>
    /// <param name="receiveActivitySetup">Adds tags to the actor's turns.</param>
    public static Props WithTracing(this Props props, ActivitySetup? sendActivitySetup = null, ActivitySetup? receiveActivitySetup = null) =>
        props
            .WithContextDecorator(context => new TracedActorContext(context, sendActivitySetup, receiveActivitySetup))
            .WithSenderMiddleware(OpenTelemetrySenderMiddleware);

    /// <summary>Traces what is sent from outside of actors.</summary>
    /// <param name="context">For example in <see cref="ActorSystemConfig.WithConfigureRootContext"/>.</param>
    /// <param name="sendActivitySetup">Adds tags.</param>
    public static IRootContext WithTracing(this IRootContext context, ActivitySetup? sendActivitySetup = null) =>
        new TracedRootContext(context.WithSenderMiddleware(OpenTelemetrySenderMiddleware), sendActivitySetup);

    /// <summary>Puts the current activity into the headers of what is sent.</summary>
    public static Sender OpenTelemetrySenderMiddleware(Sender next) =>
        (context, target, envelope) => next(context, target, TraceHeaders.Inject(envelope));
}
