using System.Diagnostics;
using OpenTelemetry;

namespace Proto.OpenTelemetry;

internal sealed class TracedActorContext(IContext context, ActivitySetup? sendSetup, ActivitySetup? receiveSetup) : ActorContextDecorator(context)
{
    /// <summary>An actor's turn. Its cause is in the headers; the engine's own messages are not traced.</summary>
    public override Task Receive(MessageEnvelope envelope) =>
        ActorActivities.HasListeners && envelope.Message is not (SystemMessage or InfrastructureMessage) ? ReceiveTraced(envelope) : base.Receive(envelope);

    public override void Send(PID target, object message) =>
        TracedSending.Send(nameof(Send), this, target, message, null, sendSetup, () => base.Send(target, message));

    public override void Request(PID target, object message, PID? sender) =>
        TracedSending.Send(nameof(Request), this, target, message, sender, sendSetup, () => base.Request(target, message, sender));

    public override Task<T> RequestAsync<T>(PID target, object message, CancellationToken cancellationToken) =>
        TracedSending.RequestAsync(this, target, message, sendSetup, () => base.RequestAsync<T>(target, message, cancellationToken));

    public override void Forward(PID target)
    {
        if (Message is { } message) TracedSending.Send(nameof(Forward), this, target, message, Sender, sendSetup, () => base.Forward(target));
        else base.Forward(target);
    }

    public override void Respond(object message)
    {
        if (ActorActivities.HasListeners && Sender is { } sender)
        {
            TracedSending.Send(nameof(Respond), this, sender, message, null, sendSetup, () => base.Respond(message));
        }
        else
        {
            base.Respond(message);
        }
    }

    public override void Respond(object message, MessageHeader header) => Respond(new MessageEnvelope(message, null, header));

    public override void ReenterAfter<T>(Task<T> target, Func<Task<T>, Task> action)
    {
        var reenter = Continuing(target);
        base.ReenterAfter(target, finished => reenter(() => action(finished)));
    }

    public override void ReenterAfter(Task target, Func<Task, Task> action)
    {
        var reenter = Continuing(target);
        base.ReenterAfter(target, finished => reenter(() => action(finished)));
    }

    public override void ReenterAfter<T>(Task<T> target, Action<Task<T>> action) =>
        ReenterAfter(target, finished =>
        {
            action(finished);
            return Task.CompletedTask;
        });

    public override void ReenterAfter(Task target, Action<Task> action) =>
        ReenterAfter(target, finished =>
        {
            action(finished);
            return Task.CompletedTask;
        });

    public override void ReenterAfter(Task target, Action action) =>
        ReenterAfter(target, _ =>
        {
            action();
            return Task.CompletedTask;
        });

    /// <summary>Continues in a later turn what is going on now.</summary>
    private Func<Func<Task>, Task> Continuing(Task target)
    {
        if (Activity.Current is not { } current) return static action => action();

        var (parent, baggage) = (current.Context, Baggage.Current);
        return async action =>
        {
            Baggage.Current = baggage;
            using var activity = ActorActivities.Start(nameof(ReenterAfter), ActivityKind.Internal, Message ?? target, this, receiveSetup, parent);
            await Observe(activity, action);
        };
    }

    private async Task ReceiveTraced(MessageEnvelope envelope)
    {
        var cause = TraceHeaders.Extract(envelope.Header);
        Baggage.Current = cause.Baggage;
        using var activity = ActorActivities.Start(nameof(Receive), ActivityKind.Consumer, envelope.Message, this, receiveSetup, cause.ActivityContext);
        if (activity is not null) activity.SetSender(envelope.Sender);
        await Observe(activity, () => base.Receive(envelope));
    }

    private static async Task Observe(Activity? activity, Func<Task> turn)
    {
        try
        {
            await turn();
        }
        catch (Exception reason)
        {
            activity.SetFailed(reason);
            throw;
        }
    }
}
