using System.Collections.Immutable;

namespace Proto;

/// <summary>Sends, spawns and stops from outside any actor. Immutable but for its store; safe from any thread.</summary>
public sealed record RootContext : IRootContext
{
    private readonly ContextStore _store = new();
    private readonly ImmutableList<Func<Sender, Sender>> _middleware;
    private readonly Sender? _chain;

    public RootContext(ActorSystem system, MessageHeader? headers = null, params Func<Sender, Sender>[] middleware)
    {
        System = system;
        Headers = headers ?? MessageHeader.Empty;
        _middleware = [.. middleware];
        _chain = SenderChain.Build(_middleware);
    }

    public ActorSystem System { get; }

    public MessageHeader Headers { get; private init; }

    public PID? Parent => null;

    /// <summary>A root context is no process.</summary>
    public PID Self => null!;

    public PID? Sender => null;

    public IActor Actor => null!;

    public object? Message => null;

    public T? Get<T>() => _store.Get<T>();

    public void Set<T>(T obj) => _store.Set(obj);

    public void Set<T, TI>(TI obj) where TI : T => _store.Set<T>(obj);

    public void Remove<T>() => _store.Remove<T>();

    public IRootContext WithHeaders(MessageHeader headers) => this with { Headers = headers };

    public IRootContext WithSenderMiddleware(params Func<Sender, Sender>[] middleware) =>
        new RootContext(System, Headers, [.. _middleware, .. middleware]);

    public PID SpawnNamed(Props props, string name, Action<IContext>? callback = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return System.Config.ConfigureProps(props).SpawnAtRoot(System, name, callback);
    }

    public void Send(PID target, object message)
    {
        ArgumentNullException.ThrowIfNull(message);
        Deliver(target, message);
    }

    public void Request(PID target, object message, PID? sender)
    {
        ArgumentNullException.ThrowIfNull(message);
        Deliver(target, sender is null ? message : MessageEnvelope.Wrap(message, sender));
    }

    public Task<T> RequestAsync<T>(PID target, object message, CancellationToken cancellationToken) =>
        RequestFuture<T>.Send(this, _chain, target, message, Headers, cancellationToken);

    public IFuture GetFuture() => new ObjectFuture(System);

    public void Stop(PID pid) => pid.Stop(System);

    public Task StopAsync(PID pid) => Stopper.StopAsync(System, pid);

    public void Poison(PID pid) => pid.SendUserMessage(System, PoisonPill.Instance);

    public Task PoisonAsync(PID pid) => Stopper.PoisonAsync(System, pid);

    private void Deliver(PID target, object message)
    {
        if (Headers.Count > 0) message = MessageEnvelope.Wrap(message).MergeHeader(Headers);
        if (_chain is not null) SenderChain.Send(this, _chain, target, message);
        else target.SendUserMessage(System, message);
    }
}
