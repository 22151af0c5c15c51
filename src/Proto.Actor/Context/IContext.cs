namespace Proto;

/// <summary>Values by type.</summary>
public interface IContextStore
{
    T? Get<T>();

    void Set<T>(T obj);

    void Set<T, TI>(TI obj) where TI : T;

    void Remove<T>();
}

public interface ISystemContext
{
    ActorSystem System { get; }
}

public interface IInfoContext : IContextStore, ISystemContext
{
    PID? Parent { get; }

    PID Self { get; }

    /// <summary>Who waits for an answer to the current message.</summary>
    PID? Sender { get; }

    IActor Actor { get; }
}

public interface ISenderContext : IInfoContext
{
    /// <summary>Of the current message; of a root context: what goes with every message.</summary>
    MessageHeader Headers { get; }

    /// <summary>The current message without envelope.</summary>
    object? Message { get; }

    void Send(PID target, object message);

    /// <summary>Sends with a sender, whom the target answers by a message.</summary>
    void Request(PID target, object message, PID? sender);

    /// <summary>Sends and waits for the answer.</summary>
    /// <exception cref="TimeoutException">The token was cancelled first.</exception>
    /// <exception cref="UnknownOutcomeException">The connection that carried it was lost: a <see cref="TimeoutException"/> that comes early.</exception>
    /// <exception cref="DeadLetterException">The target does not exist: nothing was executed.</exception>
    Task<T> RequestAsync<T>(PID target, object message, CancellationToken cancellationToken);

    /// <summary>A one-time address for an answer. Dispose it when the answer is no longer wanted.</summary>
    IFuture GetFuture();
}

public interface IReceiverContext : IInfoContext
{
    Task Receive(MessageEnvelope envelope);
}

public interface ISpawnerContext : ISystemContext
{
    /// <exception cref="ProcessNameExistException">The name is taken.</exception>
    PID SpawnNamed(Props props, string name, Action<IContext>? callback = null);
}

public interface IStopperContext
{
    /// <summary>Stops the actor after its current message.</summary>
    void Stop(PID pid);

    /// <summary>Stops the actor; done when it and its children have stopped.</summary>
    Task StopAsync(PID pid);

    /// <summary>Stops the actor after the messages that it already has.</summary>
    void Poison(PID pid);

    Task PoisonAsync(PID pid);
}

/// <summary>What an actor sees of its system. Only valid inside its own turns.</summary>
public interface IContext : ISenderContext, IReceiverContext, ISpawnerContext, IStopperContext
{
    /// <summary>Cancelled when this instance stops or is replaced.</summary>
    CancellationToken CancellationToken { get; }

    /// <summary>Zero: off.</summary>
    TimeSpan ReceiveTimeout { get; }

    IReadOnlyCollection<PID> Children { get; }

    /// <summary>Answers the current message's sender; a dead letter when there is none.</summary>
    void Respond(object message);

    void Respond(object message, MessageHeader header);

    /// <summary>Asks for <see cref="Terminated"/> when the process ends; at once when it does not exist.</summary>
    void Watch(PID pid);

    void Unwatch(PID pid);

    /// <summary>Sends <see cref="Proto.ReceiveTimeout"/> once when no message came for this long.</summary>
    void SetReceiveTimeout(TimeSpan duration);

    void CancelReceiveTimeout();

    /// <summary>Sends the current message on, with its sender.</summary>
    void Forward(PID target);

    /// <summary>Runs the action in a turn of its own after the task, however it ended, with the current message. Other messages go between.</summary>
    void ReenterAfter<T>(Task<T> target, Func<Task<T>, Task> action);

    void ReenterAfter(Task target, Action action);

    void ReenterAfter(Task target, Action<Task> action);

    void ReenterAfter<T>(Task<T> target, Action<Task<T>> action);

    void ReenterAfter(Task target, Func<Task, Task> action);

    /// <summary>The current message, to be handled or made current again later.</summary>
    CapturedContext Capture();

    void Apply(CapturedContext capturedContext);

    /// <summary>Runs the action in a turn of its own once the token is cancelled, unless this instance ends first.</summary>
#pragma warning disable CA1068 // the order is Proto.Actor's
    void ReenterAfterCancellation(CancellationToken cancellationToken, Action onCancelled);
#pragma warning restore CA1068
}

public interface IRootContext : ISpawnerContext, ISenderContext, IStopperContext
{
    /// <summary>A copy that sends these headers with every message.</summary>
    IRootContext WithHeaders(MessageHeader headers);

    IRootContext WithSenderMiddleware(params Func<Sender, Sender>[] middleware);
}

/// <summary>A message kept for later, see <see cref="IContext.Capture"/>.</summary>
public sealed record CapturedContext(MessageEnvelope MessageEnvelope, IContext Context)
{
    /// <summary>Handles the message now; afterwards the current message is again what it was.</summary>
    public async Task Receive()
    {
        var current = Context.Capture();
        await Context.Receive(MessageEnvelope);
        Context.Apply(current);
    }

    public void Apply() => Context.Apply(this);
}
