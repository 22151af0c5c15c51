using Microsoft.Extensions.Logging;
using Proto.Mailbox;

namespace Proto;

/// <summary>An actor's own side: its current message, what it can do, and (in the other parts) its life and its children.</summary>
internal sealed partial class ActorContext : IContext, ISupervisor, IMessageInvoker
{
    private readonly IMailbox _mailbox;
    private readonly Props _props;
    private ContextExtras? _extras;
    private IActor? _actor; // null until the first turn, and after an instance failed to be made
    private object? _messageOrEnvelope;

    public ActorContext(ActorSystem system, Props props, PID? parent, PID self, IMailbox mailbox)
    {
        System = system;
        _props = props;
        Parent = parent;
        Self = self;
        _mailbox = mailbox;
    }

    public ActorSystem System { get; }

    public PID? Parent { get; }

    public PID Self { get; }

    public IActor Actor => _actor!;

    public PID? Sender => MessageEnvelope.UnwrapSender(_messageOrEnvelope);

    public object? Message => MessageEnvelope.UnwrapMessage(_messageOrEnvelope);

    public MessageHeader Headers => MessageEnvelope.UnwrapHeader(_messageOrEnvelope);

    public IReadOnlyCollection<PID> Children => _extras?.Children ?? (IReadOnlyCollection<PID>)[];

    public CancellationToken CancellationToken
    {
        get
        {
            var cancellation = EnsureExtras().Cancellation ??= new CancellationTokenSource();
            if (_state >= ContextState.Stopping) cancellation.Cancel();
            return cancellation.Token;
        }
    }

    internal bool HasParentActor => Parent is not null && Parent.Ref(System) is not GuardianProcess;

    private ILogger Logger => System.LoggerFactory.CreateLogger<ActorContext>();

    /// <summary>The innermost receiver of a middleware chain.</summary>
    public static Task Receive(IReceiverContext context, MessageEnvelope envelope) => context.Receive(envelope);

    public T? Get<T>() => _extras?.Store is { } store ? store.Get<T>() : default;

    public void Set<T>(T obj) => (EnsureExtras().Store ??= new ContextStore()).Set(obj);

    public void Set<T, TI>(TI obj) where TI : T => Set<T>(obj);

    public void Remove<T>() => _extras?.Store?.Remove<T>();

    public void Send(PID target, object message)
    {
        ArgumentNullException.ThrowIfNull(message);
        SendUserMessage(target, message);
    }

    public void Request(PID target, object message, PID? sender)
    {
        ArgumentNullException.ThrowIfNull(message);
        SendUserMessage(target, sender is null ? message : MessageEnvelope.Wrap(message, sender));
    }

    public Task<T> RequestAsync<T>(PID target, object message, CancellationToken cancellationToken) =>
        RequestFuture<T>.Send(this, _props.SenderMiddlewareChain, target, message, MessageHeader.Empty, cancellationToken);

    public IFuture GetFuture() => new ObjectFuture(System);

    public void Respond(object message)
    {
        ArgumentNullException.ThrowIfNull(message);
        // Straight to the request while it waits and nothing stands between: that needs no address.
        if (_props.SenderMiddlewareChain is null && _messageOrEnvelope is MessageEnvelope { Request: { } request } && request.TryReply(message)) return;

        SendUserMessage(Sender ?? System.DeadLetterPid, message);
    }

    public void Respond(object message, MessageHeader header) => Respond(new MessageEnvelope(message, null, header));

    public void Forward(PID target)
    {
        switch (Message)
        {
            case null:
                throw new InvalidOperationException("there is no current message to forward");
            case SystemMessage message:
                throw new InvalidOperationException($"the system message {message.GetType().Name} cannot be forwarded");
            default:
                SendUserMessage(target, _messageOrEnvelope!);
                break;
        }
    }

    public void Watch(PID pid) => pid.SendSystemMessage(System, new Watch(Self));

    public void Unwatch(PID pid) => pid.SendSystemMessage(System, new Unwatch(Self));

    public PID SpawnNamed(Props props, string name, Action<IContext>? callback = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (props.GuardianStrategy is not null)
        {
            throw new ArgumentException("a guardian strategy is for actors that the root context spawns", nameof(props));
        }

        var pid = System.Config.ConfigureProps(props).Spawn(System, $"{Self.Id}/{name}", Self, callback);
        EnsureExtras().Children.Add(pid);
        // Children are being stopped or were: one more would outlive its parent.
        if (_state != ContextState.Alive) pid.Stop(System);
        return pid;
    }

    public void Stop(PID pid) => pid.Stop(System);

    public Task StopAsync(PID pid) => Stopper.StopAsync(System, pid);

    public void Poison(PID pid) => pid.SendUserMessage(System, PoisonPill.Instance);

    public Task PoisonAsync(PID pid) => Stopper.PoisonAsync(System, pid);

    public CapturedContext Capture() => new(MessageEnvelope.Wrap(_messageOrEnvelope!), EnsureContext());

    public void Apply(CapturedContext capturedContext) => _messageOrEnvelope = capturedContext.MessageEnvelope;

    /// <summary>Middleware hands the message back here.</summary>
    public Task Receive(MessageEnvelope envelope)
    {
        _messageOrEnvelope = envelope;
        return ReceiveCurrent();
    }

    private void SendUserMessage(PID target, object message)
    {
        if (_props.SenderMiddlewareChain is { } chain) SenderChain.Send(this, chain, target, message);
        else target.SendUserMessage(System, message);
    }

    /// <summary>Gives a message to the actor, through middleware and decorators when there are any.</summary>
    private Task Handle(object message)
    {
        _messageOrEnvelope = message;
        if (_props.ReceiverMiddlewareChain is { } chain) return chain(EnsureContext(), MessageEnvelope.Wrap(message));
        return _props.ContextDecoratorChain is null ? ReceiveCurrent() : EnsureContext().Receive(MessageEnvelope.Wrap(message));
    }

    private Task ReceiveCurrent()
    {
        switch (MessageEnvelope.UnwrapMessage(_messageOrEnvelope))
        {
            case PoisonPill:
                Stop(Self);
                return Task.CompletedTask;
            case Touch:
                Respond(new Touched { Who = Self });
                return Task.CompletedTask;
            case IAutoRespond autoRespond:
                Respond(autoRespond.GetAutoResponse(EnsureContext()));
                break;
        }

        return _actor!.ReceiveAsync(EnsureContext());
    }

    private ContextExtras EnsureExtras() => _extras ??= new ContextExtras();

    private IContext EnsureContext() =>
        _props.ContextDecoratorChain is { } decorate ? EnsureExtras().Decorated ??= decorate(this) : this;
}
