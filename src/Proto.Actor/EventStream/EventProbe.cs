using System.Threading.Channels;

namespace Proto;

/// <summary>Waits for events, in tests and tools. Keeps what was published from its creation on until somebody expects it.</summary>
public sealed class EventProbe<T>
{
    /// <summary>Events kept; with more waiting, the probe has missed some and fails.</summary>
    public const int MaxEvents = 100_000;

    private readonly Channel<T> _events = Channel.CreateBounded<T>(MaxEvents);
    private readonly EventStreamSubscription<T> _subscription;

    internal EventProbe(EventStream<T> stream) =>
        _subscription = stream.Subscribe(message =>
        {
            if (!_events.Writer.TryWrite(message)) _events.Writer.TryComplete(new InvalidOperationException($"the probe missed events: more than {MaxEvents} were waiting"));
        });

    /// <summary>The next event of the type; events before it are passed over.</summary>
    public Task<TMsg> Expect<TMsg>(CancellationToken cancellationToken = default) where TMsg : T =>
        Expect<TMsg>(static _ => true, cancellationToken);

    /// <summary>The next event of the type that fulfils the condition; events before it are passed over.</summary>
    public async Task<TMsg> Expect<TMsg>(Func<TMsg, bool> predicate, CancellationToken cancellationToken = default) where TMsg : T
    {
        while (true)
        {
            if (await _events.Reader.ReadAsync(cancellationToken) is TMsg message && predicate(message)) return message;
        }
    }

    /// <summary>Listens no more; events that wait can still be expected.</summary>
    public void Stop()
    {
        _subscription.Unsubscribe();
        _events.Writer.TryComplete();
    }
}

public static class EventStreamExtensions
{
    public static EventProbe<T> GetProbe<T>(this EventStream<T> eventStream) => new(eventStream);
}
