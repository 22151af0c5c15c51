using System.Collections.Immutable;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Proto.Mailbox;

namespace Proto;

/// <summary>The event stream of an actor system.</summary>
public class EventStream : EventStream<object>
{
    public EventStream() { }

    internal EventStream(ILogger logger, ISystemRuntime runtime) : base(logger, runtime) { }
}

/// <summary>
/// Passes what is published to all subscribers, in the order in which they subscribed. By default a subscriber runs on the publisher's thread.
/// One that throws is reported in the log and hinders neither the publisher nor the others.
/// </summary>
public partial class EventStream<T>
{
    private readonly ILogger _logger;
    private readonly ISystemRuntime _runtime;
    private ImmutableList<EventStreamSubscription<T>> _subscriptions = [];

    public EventStream() : this(Log.CreateLogger<EventStream<T>>(), ThreadPoolRuntime.Instance) { }

    internal EventStream(ILogger logger, ISystemRuntime runtime)
    {
        _logger = logger;
        _runtime = runtime;
    }

    public EventStreamSubscription<T> Subscribe(Action<T> action, IDispatcher? dispatcher = null) =>
        Add(dispatcher, message =>
        {
            action(message);
            return Task.CompletedTask;
        });

    public EventStreamSubscription<T> Subscribe(Func<T, Task> action, IDispatcher? dispatcher = null) => Add(dispatcher, action);

    /// <summary>Writes to the channel; waits for room on the dispatcher's time, not the publisher's.</summary>
    public EventStreamSubscription<T> Subscribe(Channel<T> channel, IDispatcher? dispatcher = null) =>
        Add(dispatcher, message => channel.Writer.TryWrite(message) ? Task.CompletedTask : channel.Writer.WriteAsync(message).AsTask());

    public EventStreamSubscription<T> Subscribe<TMsg>(Channel<TMsg> channel, IDispatcher? dispatcher = null) where TMsg : T =>
        Add(dispatcher, message =>
            message is not TMsg typed || channel.Writer.TryWrite(typed) ? Task.CompletedTask : channel.Writer.WriteAsync(typed).AsTask());

    public EventStreamSubscription<T> Subscribe<TMsg>(Action<TMsg> action, IDispatcher? dispatcher = null) where TMsg : T =>
        Add(dispatcher, message =>
        {
            if (message is TMsg typed) action(typed);
            return Task.CompletedTask;
        });

    public EventStreamSubscription<T> Subscribe<TMsg>(Func<TMsg, bool> predicate, Action<TMsg> action, IDispatcher? dispatcher = null) where TMsg : T =>
        Add(dispatcher, message =>
        {
            if (message is TMsg typed && predicate(typed)) action(typed);
            return Task.CompletedTask;
        });

    public EventStreamSubscription<T> Subscribe<TMsg>(Func<TMsg, Task> action, IDispatcher? dispatcher = null) where TMsg : T =>
        Add(dispatcher, message => message is TMsg typed ? action(typed) : Task.CompletedTask);

    /// <summary>Sends events of the type to these processes.</summary>
    public EventStreamSubscription<T> Subscribe<TMsg>(ISenderContext context, params PID[] pids) where TMsg : T =>
        Add(null, message =>
        {
            if (message is TMsg typed)
            {
                foreach (var pid in pids) context.Send(pid, typed);
            }

            return Task.CompletedTask;
        });

    public void Publish(T msg)
    {
        foreach (var subscription in _subscriptions)
        {
            if (subscription.Dispatcher is SynchronousDispatcher) _ = Run(subscription, msg);
            else subscription.Dispatcher.Schedule(() => Run(subscription, msg));
        }
    }

    public void Unsubscribe(Guid id) =>
        ImmutableInterlocked.Update(ref _subscriptions, static (all, id) => all.RemoveAll(subscription => subscription.Id == id), id);

    public void Unsubscribe(EventStreamSubscription<T>? subscription)
    {
        if (subscription is not null) Unsubscribe(subscription.Id);
    }

    private EventStreamSubscription<T> Add(IDispatcher? dispatcher, Func<T, Task> action)
    {
        var subscription = new EventStreamSubscription<T>(
            this, _runtime.NewGuid(), _runtime.DispatcherFor(dispatcher ?? Dispatchers.SynchronousDispatcher, null), action);
        ImmutableInterlocked.Update(ref _subscriptions, static (all, added) => all.Add(added), subscription);
        return subscription;
    }

    private async Task Run(EventStreamSubscription<T> subscription, T message)
    {
        try
        {
            await subscription.Action(message);
        }
        catch (Exception reason)
        {
            LogSubscriberFailed(_logger, subscription.Id, message?.GetType().Name, reason);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Event stream subscriber {Subscription} failed on {EventType}")]
    private static partial void LogSubscriberFailed(ILogger logger, Guid subscription, string? eventType, Exception reason);
}

public class EventStreamSubscription<T>
{
    private readonly EventStream<T> _stream;

    internal EventStreamSubscription(EventStream<T> stream, Guid id, IDispatcher dispatcher, Func<T, Task> action)
    {
        _stream = stream;
        Id = id;
        Dispatcher = dispatcher;
        Action = action;
    }

    public Guid Id { get; }

    public IDispatcher Dispatcher { get; }

    public Func<T, Task> Action { get; }

    public void Unsubscribe() => _stream.Unsubscribe(Id);
}
