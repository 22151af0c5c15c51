using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;

namespace ActorCluster.Grains;

/// <summary>What <see cref="ReplicatedGrain{TState}"/> is to those who run it.</summary>
public abstract class ReplicatedGrain
{
    private protected readonly Dictionary<string, Handler> Handlers = new(StringComparer.Ordinal);

    private protected ReplicatedGrain()
    {
    }

    /// <summary>The kind under which it is registered.</summary>
    public string Kind { get; private set; } = "";

    /// <summary>Its name within the kind.</summary>
    public string Identity { get; private set; } = "";

    /// <summary>Of this activation. Hand it to systems outside the cluster that can refuse what comes from a lower one.</summary>
    public Epoch Epoch { get; private set; }

    /// <summary>When the turn began, by the leader's clock.</summary>
    public DateTimeOffset Now { get; internal set; }

    /// <summary>The files of all messages that it knows, to be registered with the remote's serializer.</summary>
    internal abstract IEnumerable<FileDescriptor> Files { get; }

    internal void Activate(string kind, string identity, Epoch epoch)
    {
        Kind = kind;
        Identity = identity;
        Epoch = epoch;
    }

    /// <summary>Takes the applied state; the next turn begins from it.</summary>
    /// <exception cref="InvalidProtocolBufferException">The bytes are not a message of the state's type.</exception>
    internal abstract void Load(ByteString state);

    /// <summary>Begins a turn: <see cref="Run"/> works on a copy of the applied state.</summary>
    internal abstract void BeginTurn();

    /// <summary>The state after the handlers of the turn, as bytes.</summary>
    internal abstract ByteString SaveTurn();

    /// <summary>Ends a turn: its state was committed, or is thrown away.</summary>
    internal abstract void EndTurn(bool committed);

    internal Handler? Find(string messageType) => Handlers.GetValueOrDefault(messageType);

    /// <summary>A message type that the grain handles.</summary>
    internal sealed record Handler(MessageDescriptor Message, Func<IMessage, IMessage> Handle);

    /// <summary>Runs the handler.</summary>
    internal static IMessage Run(Handler handler, IMessage message) =>
        handler.Handle(message) ?? throw new InvalidOperationException($"the handler of {handler.Message.FullName} returned null");
}

/// <summary>
/// A virtual actor whose state is replicated: derive from it, say in the constructor which messages it handles, and
/// register it with <see cref="GrainKinds"/>. Each message is one turn: handlers see and change <see cref="State"/> and
/// return the reply; the new state and the reply are committed together by a majority, and only then does the reply leave.
/// A handler that throws changes nothing. One message at a time per grain.
/// </summary>
/// <typeparam name="TState">Its state, a protobuf message of at most <see cref="Protocol.Limits.MaxValueBytes"/> bytes.</typeparam>
/// <example>
/// <code>
/// public sealed class CounterGrain : ReplicatedGrain&lt;CounterState&gt;
/// {
///     public CounterGrain()
///     {
///         On&lt;CounterAdd&gt;(add => new CounterValue { Value = State.Value += add.Amount });
///         On&lt;CounterGet&gt;(_ => new CounterValue { Value = State.Value });
///     }
/// }
/// </code>
/// </example>
public abstract class ReplicatedGrain<TState> : ReplicatedGrain where TState : class, IMessage<TState>, new()
{
    TState _applied = new();
    TState? _turn;

    /// <summary>
    /// The state. Within a handler a copy that may be changed; what a handler leaves in it is what the turn proposes. Not to
    /// be kept or changed outside of handlers.
    /// </summary>
    protected TState State => _turn ?? _applied;

    internal override IEnumerable<FileDescriptor> Files => Handlers.Values.Select(h => h.Message.File).Append(new TState().Descriptor.File).Distinct();

    /// <summary>Handles a message with a reply. Runs again when an attempt was lost before it committed, so its only effect must be on <see cref="State"/>.</summary>
    protected void On<TMessage>(Func<TMessage, IMessage> handle) where TMessage : class, IMessage<TMessage>, new()
    {
        var descriptor = new TMessage().Descriptor;
        if (!Handlers.TryAdd(descriptor.FullName, new Handler(descriptor, message => handle((TMessage)message))))
            throw new InvalidOperationException($"{GetType().Name} handles {descriptor.FullName} twice");
    }

    /// <summary>Handles a message; the reply is <see cref="Empty"/>.</summary>
    protected void On<TMessage>(Action<TMessage> handle) where TMessage : class, IMessage<TMessage>, new() => On<TMessage>(message =>
    {
        handle(message);
        return new Empty();
    });

    internal override void Load(ByteString state)
    {
        var loaded = new TState();
        loaded.MergeFrom(state);
        _applied = loaded;
        _turn = null;
    }

    internal override void BeginTurn() => _turn = _applied.Clone();

    internal override ByteString SaveTurn() => State.ToByteString();

    internal override void EndTurn(bool committed)
    {
        if (committed && _turn is { } state) _applied = state;
        _turn = null;
    }
}
