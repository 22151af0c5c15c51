using ActorCluster.Keyspace;
using ActorCluster.Protocol;
using ActorCluster.Protocol.Grains;
using ActorCluster.Protocol.Keyspace;
using Google.Protobuf;

namespace ActorCluster.Grains;

/// <summary>A call of a grain, read and checked.</summary>
/// <param name="Message">What the handler gets.</param>
/// <param name="MessageType">Its protobuf full name.</param>
/// <param name="Session">Under which session, or null.</param>
/// <param name="Hash">What a repeat must equal.</param>
public sealed record GrainRequest(IMessage Message, string MessageType, SessionRef? Session, ulong Hash);

/// <summary>What a turn computed, before anything is committed.</summary>
/// <param name="Failure">Why it could not run, or the handler's exception: nothing is to be proposed.</param>
/// <param name="Reply">The reply, when it ran.</param>
/// <param name="ReplyBytes">The reply, as bytes.</param>
/// <param name="NewState">The new state, or null when it did not change.</param>
public sealed record TurnResult(Failure? Failure, IMessage? Reply, ByteString ReplyBytes, ByteString? NewState);

/// <summary>
/// The pure half of an activation: runs handlers on a copy of the applied state and says what to propose. The shell
/// (<c>Actors/ReplicatedGrainActor</c>) proposes, confirms and replies.
/// Invariant: <see cref="Version"/> is the log index of exactly the state that the next turn begins from.
/// </summary>
public sealed class GrainTurns
{
    readonly ReplicatedGrain _grain;
    ByteString _applied;

    /// <summary>Takes a new grain into use.</summary>
    /// <exception cref="InvalidDataException">The stored state is not a message of the grain's state type.</exception>
    public GrainTurns(ReplicatedGrain grain, string kind, string identity, Epoch epoch, StoredGrain stored)
    {
        _grain = grain;
        grain.Activate(kind, identity, epoch);
        try
        {
            grain.Load(stored.State);
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new InvalidDataException($"{kind}/{identity}: the stored state is not a message of the grain's state type", e);
        }

        _applied = stored.State;
        Version = stored.Version;
    }

    /// <summary>Log index of the last change; 0 before the first.</summary>
    public ulong Version { get; private set; }

    /// <summary>Reads a message or an envelope sent to the grain.</summary>
    /// <returns>The request, or why it is refused (NotExecuted).</returns>
    public (GrainRequest? Request, Failure? Failure) Read(IMessage received)
    {
        if (received is not GrainCall call)
        {
            if (RequestValidation.CheckValue("message", received.CalculateSize()) is { } large) return (null, large);
            return (new GrainRequest(received, received.Descriptor.FullName, null, 0), null);
        }

        if (call.Session is { } session && RequestValidation.Check(session) is { } invalid) return (null, invalid);
        if (RequestValidation.CheckValue("message", call.Message.Length) is { } tooLarge) return (null, tooLarge);
        if (_grain.Find(call.MessageType) is not { } handler) return (null, Unhandled(call.MessageType));
        try
        {
            return (new GrainRequest(handler.Message.Parser.ParseFrom(call.Message), call.MessageType, call.Session, HashOf(call)), null);
        }
        catch (InvalidProtocolBufferException e)
        {
            return (null, Failures.NotExecuted(ErrorCode.InvalidArgument, $"message is not a {call.MessageType}: {e.Message}"));
        }
    }

    /// <summary>Runs one turn. Must be ended by <see cref="Committed"/> or <see cref="Discard"/>.</summary>
    /// <param name="request">What is asked.</param>
    /// <param name="now">The leader's time.</param>
    public TurnResult Run(GrainRequest request, DateTimeOffset now)
    {
        if (_grain.Find(request.MessageType) is not { } handler) return Fail(Unhandled(request.MessageType));
        _grain.Now = now;
        _grain.BeginTurn();
        IMessage reply;
        ByteString state;
        ByteString replyBytes;
        try
        {
            reply = ReplicatedGrain.Run(handler, request.Message);
            state = _grain.SaveTurn();
            replyBytes = reply.ToByteString();
        }
        catch (Exception e) when (e is not Raft.InvariantViolationException)
        {
            // The user's code: whatever it throws is its answer, and its change of the state is thrown away.
            _grain.EndTurn(committed: false);
            return Fail(Failures.NotExecuted(ErrorCode.GrainFailed, $"{_grain.Kind}/{_grain.Identity} failed on {request.MessageType}: {e.GetType().Name}: {e.Message}"));
        }

        if ((RequestValidation.CheckValue("state", state.Length) ?? RequestValidation.CheckValue("reply", replyBytes.Length)) is { } tooLarge)
        {
            _grain.EndTurn(committed: false);
            return Fail(tooLarge);
        }

        return new TurnResult(null, reply, replyBytes, state.Span.SequenceEqual(_applied.Span) ? null : state);

        static TurnResult Fail(Failure failure) => new(failure, null, ByteString.Empty, null);
    }

    /// <summary>The log entry of a turn that changed the state.</summary>
    public GrainCommand Command(GrainRequest request, TurnResult turn) => new()
    {
        Kind = _grain.Kind,
        Identity = _grain.Identity,
        Epoch = _grain.Epoch.ToMessage(),
        HasState = true,
        State = turn.NewState ?? throw new ArgumentException("the turn changed nothing", nameof(turn)),
        ReplyType = turn.Reply!.Descriptor.FullName,
        Reply = turn.ReplyBytes,
        BaseVersion = Version,
    };

    /// <summary>The turn's entry was applied: its state is what the next turn begins from.</summary>
    public void Committed(TurnResult turn, ulong version)
    {
        Raft.Invariant.Check(version > Version, $"{_grain.Kind}/{_grain.Identity}: version {version} after {Version}");
        _applied = turn.NewState!;
        Version = version;
        _grain.EndTurn(committed: true);
    }

    /// <summary>The turn changed nothing, or is thrown away.</summary>
    public void Discard() => _grain.EndTurn(committed: false);

    /// <summary>What a repeat of a call must equal: what was asked, not what it gave.</summary>
    ulong HashOf(GrainCall call)
    {
        var hash = new RequestHash(100);
        hash.Add(_grain.Kind);
        hash.Add(_grain.Identity);
        hash.Add(call.MessageType);
        hash.Add(call.Message.Span);
        return hash.Value;
    }

    Failure Unhandled(string messageType) =>
        Failures.NotExecuted(ErrorCode.InvalidArgument, $"kind '{_grain.Kind}' does not handle {(messageType.Length == 0 ? "a message without a type" : messageType)}");
}
