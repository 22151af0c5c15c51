using System.Collections.Immutable;
using Proto.Mailbox;

namespace Proto;

/// <summary>How to make an actor and run it. Immutable.</summary>
public sealed record Props
{
    public static readonly Props Empty = new();

    private static readonly ProducerWithSystemAndContext s_noProducer =
        static (_, _) => throw new InvalidOperationException("these Props have no producer: use Props.FromProducer or Props.FromFunc");

    public ProducerWithSystemAndContext Producer { get; init; } = s_noProducer;

    public MailboxProducer MailboxProducer { get; init; } = static () => UnboundedMailbox.Create();

    /// <summary>Supervises actors that the root context spawns with these Props; null: the default strategy.</summary>
    public ISupervisorStrategy? GuardianStrategy { get; init; }

    /// <summary>How the actor supervises its children.</summary>
    public ISupervisorStrategy SupervisorStrategy { get; init; } = Supervision.DefaultStrategy;

    public IDispatcher Dispatcher { get; init; } = Dispatchers.DefaultDispatcher;

    /// <summary>A start that takes longer is logged. Zero: never.</summary>
    public TimeSpan StartDeadline { get; init; } = TimeSpan.FromMilliseconds(100);

    public ImmutableList<Func<Receiver, Receiver>> ReceiverMiddleware { get; init; } = [];

    public ImmutableList<Func<Sender, Sender>> SenderMiddleware { get; init; } = [];

    public ImmutableList<Func<IContext, IContext>> ContextDecorator { get; init; } = [];

    /// <summary>Run once for each actor, before its first message and before the callback given to the spawn.</summary>
    public ImmutableList<Action<IContext>> OnInit { get; init; } = [];

    public Spawner Spawner { get; init; } = DefaultSpawner;

    internal Receiver? ReceiverMiddlewareChain { get; init; }

    internal Sender? SenderMiddlewareChain { get; init; }

    internal Func<IContext, IContext>? ContextDecoratorChain { get; init; }

    public static Props FromProducer(Producer producer) => Empty.WithProducer(producer);

    public static Props FromProducer(ProducerWithSystem producer) => Empty.WithProducer(producer);

    public static Props FromProducer(ProducerWithSystemAndContext producer) => Empty.WithProducer(producer);

    public static Props FromFunc(Receive receive) => FromProducer(() => new FunctionActor(receive));

    /// <summary>Registers the process, then starts its mailbox. The actor's instance is made in its own first turn, where failing is supervised.</summary>
    public static PID DefaultSpawner(ActorSystem system, string id, Props props, PID? parent, Action<IContext>? callback = null) =>
        SpawnProcess(system, id, props, parent, callback, static (system, mailbox) => new ActorProcess(system, mailbox));

    /// <summary>As <see cref="DefaultSpawner"/>, with another process in front of the mailbox.</summary>
    internal static PID SpawnProcess(
        ActorSystem system, string id, Props props, PID? parent, Action<IContext>? callback, Func<ActorSystem, IMailbox, Process> createProcess)
    {
        var mailbox = props.MailboxProducer();
        (mailbox as IEngineMailbox)?.Attach(system, id);
        var created = createProcess(system, mailbox);
        var process = system.Config.ConfigureProcess is { } configure ? configure(created) : created;
        var (self, isNew) = system.ProcessRegistry.TryAdd(id, process);
        if (!isNew) throw new ProcessNameExistException(id, self);

        var context = new ActorContext(system, props, parent, self, mailbox);
        process.Context = context;
        var runtime = system.Config.Runtime;
        mailbox.RegisterHandlers(runtime.Observe(self, context), runtime.DispatcherFor(props.Dispatcher, self));
        // Queued before what the initializers cause: whatever they spawn or watch may end at once.
        mailbox.PostSystemMessage(Started.Instance);
        var guardian = parent?.Ref(system) as GuardianProcess;
        guardian?.Add(self);
        try
        {
            foreach (var initialize in props.OnInit) initialize(context);
            callback?.Invoke(context);
        }
        catch
        {
            guardian?.Remove(self);
            system.ProcessRegistry.Remove(self);
            context.StopChildren([.. context.Children]);
            context.Abandon();
            mailbox.Start();
            throw;
        }

        mailbox.Start();
        return self;
    }

    public Props WithProducer(Producer producer) => this with { Producer = (_, _) => producer() };

    public Props WithProducer(ProducerWithSystem producer) => this with { Producer = (system, _) => producer(system) };

    public Props WithProducer(ProducerWithSystemAndContext producer) => this with { Producer = producer };

    public Props WithDispatcher(IDispatcher dispatcher) => this with { Dispatcher = dispatcher };

    public Props WithMailbox(MailboxProducer mailboxProducer) => this with { MailboxProducer = mailboxProducer };

    public Props WithStartDeadline(TimeSpan deadline) => this with { StartDeadline = deadline };

    public Props WithGuardianSupervisorStrategy(ISupervisorStrategy strategy) => this with { GuardianStrategy = strategy };

    public Props WithChildSupervisorStrategy(ISupervisorStrategy strategy) => this with { SupervisorStrategy = strategy };

    public Props WithSpawner(Spawner spawner) => this with { Spawner = spawner };

    /// <inheritdoc cref="OnInit"/>
    public Props WithOnInit(params Action<IContext>[] onInit) => this with { OnInit = OnInit.AddRange(onInit) };

    /// <summary>Wraps the context that the actor sees; the first decorator is the outermost.</summary>
    public Props WithContextDecorator(params Func<IContext, IContext>[] contextDecorator)
    {
        var decorators = ContextDecorator.AddRange(contextDecorator);
        return this with
        {
            ContextDecorator = decorators,
            ContextDecoratorChain = decorators.IsEmpty
                ? null
                : context => decorators.Reverse().Aggregate(context, static (inner, decorate) => decorate(inner)),
        };
    }

    /// <summary>Wraps the receiving of messages; the first middleware is the outermost.</summary>
    public Props WithReceiverMiddleware(params Func<Receiver, Receiver>[] middleware)
    {
        var all = ReceiverMiddleware.AddRange(middleware);
        return this with
        {
            ReceiverMiddleware = all,
            ReceiverMiddlewareChain = all.IsEmpty ? null : all.Reverse().Aggregate((Receiver)ActorContext.Receive, static (inner, wrap) => wrap(inner)),
        };
    }

    /// <summary>Wraps the sending of messages; the first middleware is the outermost.</summary>
    public Props WithSenderMiddleware(params Func<Sender, Sender>[] middleware)
    {
        var all = SenderMiddleware.AddRange(middleware);
        return this with
        {
            SenderMiddleware = all,
            SenderMiddlewareChain = SenderChain.Build(all),
        };
    }

    internal PID SpawnAtRoot(ActorSystem system, string name, Action<IContext>? callback) =>
        Spawn(system, name, GuardianStrategy is { } strategy ? system.Guardians.GetGuardianPid(strategy) : null, callback);

    internal PID Spawn(ActorSystem system, string name, PID? parent, Action<IContext>? callback)
    {
        var pid = Spawner(system, name, this, parent, callback);
        system.Metrics.Spawned();
        return pid;
    }
}
