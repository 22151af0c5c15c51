namespace Proto;

/// <summary>A root context that passes everything on to another; override what shall differ.</summary>
public abstract class RootContextDecorator : IRootContext
{
    private readonly IRootContext _context;

    protected RootContextDecorator(IRootContext context) => _context = context;

    public virtual ActorSystem System => _context.System;

    public virtual PID? Parent => _context.Parent;

    public virtual PID Self => _context.Self;

    public virtual PID? Sender => _context.Sender;

    public virtual IActor Actor => _context.Actor;

    public virtual MessageHeader Headers => _context.Headers;

    public virtual object? Message => _context.Message;

    public virtual T? Get<T>() => _context.Get<T>();

    public virtual void Set<T>(T obj) => _context.Set(obj);

    public virtual void Set<T, TI>(TI obj) where TI : T => _context.Set<T, TI>(obj);

    public virtual void Remove<T>() => _context.Remove<T>();

    public virtual void Send(PID target, object message) => _context.Send(target, message);

    public virtual void Request(PID target, object message, PID? sender) => _context.Request(target, message, sender);

    public virtual Task<T> RequestAsync<T>(PID target, object message, CancellationToken cancellationToken) =>
        _context.RequestAsync<T>(target, message, cancellationToken);

    public virtual IFuture GetFuture() => _context.GetFuture();

    public virtual PID SpawnNamed(Props props, string name, Action<IContext>? callback = null) => _context.SpawnNamed(props, name, callback);

    public virtual void Stop(PID pid) => _context.Stop(pid);

    public virtual Task StopAsync(PID pid) => _context.StopAsync(pid);

    public virtual void Poison(PID pid) => _context.Poison(pid);

    public virtual Task PoisonAsync(PID pid) => _context.PoisonAsync(pid);

    /// <summary>The same decoration around a changed context.</summary>
    protected abstract IRootContext WithInnerContext(IRootContext context);

    public virtual IRootContext WithHeaders(MessageHeader headers) => WithInnerContext(_context.WithHeaders(headers));

    public virtual IRootContext WithSenderMiddleware(params Func<Sender, Sender>[] middleware) =>
        WithInnerContext(_context.WithSenderMiddleware(middleware));
}
