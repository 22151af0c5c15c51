namespace Proto.OpenTelemetry;

internal sealed class TracedRootContext(IRootContext context, ActivitySetup? setup) : RootContextDecorator(context)
{
    public override void Send(PID target, object message) =>
        TracedSending.Send(nameof(Send), this, target, message, null, setup, () => base.Send(target, message));

    public override void Request(PID target, object message, PID? sender) =>
        TracedSending.Send(nameof(Request), this, target, message, sender, setup, () => base.Request(target, message, sender));

    public override Task<T> RequestAsync<T>(PID target, object message, CancellationToken cancellationToken) =>
        TracedSending.RequestAsync(this, target, message, setup, () => base.RequestAsync<T>(target, message, cancellationToken));

    protected override IRootContext WithInnerContext(IRootContext context) => new TracedRootContext(context, setup);
}
