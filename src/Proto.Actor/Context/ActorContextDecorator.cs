namespace Proto;

/// <summary>A context that passes everything on to another; override what shall differ. For <see cref="Props.WithContextDecorator"/>.</summary>
public abstract class ActorContextDecorator : IContext
{
    private readonly IContext _context;

    protected ActorContextDecorator(IContext context) => _context = context;

    public virtual ActorSystem System => _context.System;

    public virtual PID? Parent => _context.Parent;

    public virtual PID Self => _context.Self;

    public virtual PID? Sender => _context.Sender;

    public virtual IActor Actor => _context.Actor;

    public virtual MessageHeader Headers => _context.Headers;

    public virtual object? Message => _context.Message;

    public virtual CancellationToken CancellationToken => _context.CancellationToken;

    public virtual TimeSpan ReceiveTimeout => _context.ReceiveTimeout;

    public virtual IReadOnlyCollection<PID> Children => _context.Children;

    public virtual T? Get<T>() => _context.Get<T>();

    public virtual void Set<T>(T obj) => _context.Set(obj);

    public virtual void Set<T, TI>(TI obj) where TI : T => _context.Set<T, TI>(obj);

    public virtual void Remove<T>() => _context.Remove<T>();

    public virtual Task Receive(MessageEnvelope envelope) => _context.Receive(envelope);

    public virtual void Send(PID target, object message) => _context.Send(target, message);

    public virtual void Request(PID target, object message, PID? sender) => _context.Request(target, message, sender);

    public virtual Task<T> RequestAsync<T>(PID target, object message, CancellationToken cancellationToken) =>
        _context.RequestAsync<T>(target, message, cancellationToken);

    public virtual IFuture GetFuture() => _context.GetFuture();

    public virtual void Respond(object message) => _context.Respond(message);

    public virtual void Respond(object message, MessageHeader header) => _context.Respond(message, header);

    public virtual PID SpawnNamed(Props props, string name, Action<IContext>? callback = null) => _context.SpawnNamed(props, name, callback);

    public virtual void Stop(PID pid) => _context.Stop(pid);

    public virtual Task StopAsync(PID pid) => _context.StopAsync(pid);

    public virtual void Poison(PID pid) => _context.Poison(pid);

    public virtual Task PoisonAsync(PID pid) => _context.PoisonAsync(pid);

    public virtual void Watch(PID pid) => _context.Watch(pid);

    public virtual void Unwatch(PID pid) => _context.Unwatch(pid);

    public virtual void SetReceiveTimeout(TimeSpan duration) => _context.SetReceiveTimeout(duration);

    public virtual void CancelReceiveTimeout() => _context.CancelReceiveTimeout();

    public virtual void Forward(PID target) => _context.Forward(target);

    public virtual void ReenterAfter<T>(Task<T> target, Func<Task<T>, Task> action) => _context.ReenterAfter(target, action);

    public virtual void ReenterAfter(Task target, Action action) => _context.ReenterAfter(target, action);

    public virtual void ReenterAfter(Task target, Action<Task> action) => _context.ReenterAfter(target, action);

    public virtual void ReenterAfter<T>(Task<T> target, Action<Task<T>> action) => _context.ReenterAfter(target, action);

    public virtual void ReenterAfter(Task target, Func<Task, Task> action) => _context.ReenterAfter(target, action);

    public virtual CapturedContext Capture() => _context.Capture();

    public virtual void Apply(CapturedContext capturedContext) => _context.Apply(capturedContext);

#pragma warning disable CA1068 // the order is Proto.Actor's
    public virtual void ReenterAfterCancellation(CancellationToken cancellationToken, Action onCancelled) =>
        _context.ReenterAfterCancellation(cancellationToken, onCancelled);
#pragma warning restore CA1068
}
