using ActorCluster.Keyspace;
using ActorCluster.Keyspace.Actors;
using ActorCluster.Protocol;
using ActorCluster.Protocol.Grains;
using ActorCluster.Protocol.Keyspace;
using Google.Protobuf;
using Proto;
using Failure = ActorCluster.Protocol.Failure;

namespace ActorCluster.Grains.Actors;

/// <summary>
/// One activation of a replicated grain. A turn runs the handler on a copy of the applied state; a changed state is
/// proposed and the reply leaves when it is committed; an unchanged one (or a failure) leaves after a ReadIndex
/// confirmation begun after the request arrived, and only if the state is still the one that the turn saw. So a superseded
/// activation can answer nothing (guarantee G3). What cannot be committed or confirmed ends the activation: the next
/// request gets a new one, built from applied state.
/// </summary>
sealed class ReplicatedGrainActor(Activation activation, GrainTurns turns, PartitionReplica replica, GrainHost.Shared shared, PID host) : IActor
{
    bool _ended;

    /// <summary>Ends the activation when it is still idle by then.</summary>
    internal sealed record Passivate(long IdleMs);

    public Task ReceiveAsync(IContext context)
    {
        switch (context.Message)
        {
            case SystemMessage:
                return Task.CompletedTask;
            case Passivate passivate:
                if (shared.NowMs - activation.LastUsedMs >= passivate.IdleMs) End(context, GrainEventKind.Passivated, "idle");
                return Task.CompletedTask;
            case IMessage message:
                activation.Used(shared.NowMs);
                // One message at a time: the next turn begins from what this one commits.
                return TurnAsync(context, message);
            default:
                Respond(context, Failures.NotExecuted(ErrorCode.InvalidArgument, $"{context.Message?.GetType().Name} is not a protobuf message"));
                return Task.CompletedTask;
        }
    }

    async Task TurnAsync(IContext context, IMessage message)
    {
        if (_ended)
        {
            Respond(context, Failures.NotExecuted(ErrorCode.StaleEpoch, $"{activation.Address} has ended"));
            return;
        }

        var (request, refused) = turns.Read(message);
        if (request is null)
        {
            Respond(context, refused!);
            return;
        }

        var deadline = shared.Deadlines.After(TimeLeft(message));
        var turn = turns.Run(request, shared.Time.GetUtcNow());
        if (turn.NewState is null) await ConfirmAsync(context, request, turn, deadline);
        else await CommitAsync(context, request, turn, deadline);
    }

    async Task CommitAsync(IContext context, GrainRequest request, TurnResult turn, CancellationToken deadline)
    {
        if (replica.Full() is { } full)
        {
            turns.Discard();
            Respond(context, full);
            return;
        }

        var command = Commands.Of(GrainStatePart.PartName, turns.Command(request, turn).ToByteString(), request.Session, request.Hash, replica.NowMs);
        var (reply, failure, index) = await replica.ProposeWithIndexAsync(command, deadline);
        if (reply is { Failure: null } && reply.Version == index)
        {
            turns.Committed(turn, index);
            Respond(context, turn.Reply!, turn.ReplyBytes);
            return;
        }

        turns.Discard();
        if (reply is { Failure: null })
        {
            // An earlier attempt of the same call was applied; this one changed nothing.
            if (reply.Version > turns.Version) End(context, GrainEventKind.Deactivated, "the state moved on under it");
            Respond(context, reply);
            return;
        }

        failure = reply?.Failure ?? failure!;
        if (EndsActivation(failure)) End(context, GrainEventKind.Deactivated, failure.Message);
        Respond(context, failure);
    }

    async Task ConfirmAsync(IContext context, GrainRequest request, TurnResult turn, CancellationToken deadline)
    {
        turns.Discard();
        var (confirmed, failure) = await replica.ReadAsync(machine => Look(machine, request), deadline);
        if (failure is null && confirmed.Verdict == SessionVerdict.Execute && confirmed.Version != turns.Version)
            failure = Failures.NotExecuted(ErrorCode.StaleEpoch, $"{activation.Address} saw version {turns.Version}; the state is at version {confirmed.Version}");
        if (failure is not null)
        {
            if (EndsActivation(failure)) End(context, GrainEventKind.Deactivated, failure.Message);
            Respond(context, failure);
        }
        else if (confirmed.Verdict != SessionVerdict.Execute) Respond(context, confirmed.Stored!);
        else if (turn.Failure is not null) Respond(context, turn.Failure);
        else Respond(context, turn.Reply!, turn.ReplyBytes);
    }

    Confirmed Look(PartitionStateMachine machine, GrainRequest request)
    {
        var version = machine.Part<GrainStatePart>().Find(activation.Kind, activation.Identity).Version;
        if (request.Session is not { } session) return new Confirmed(version, SessionVerdict.Execute, null);
        var verdict = machine.Sessions.Look(session, request.Hash, out var stored);
        return new Confirmed(version, verdict, stored);
    }

    TimeSpan TimeLeft(IMessage message)
    {
        if (message is not GrainCall { DeadlineUnixMs: > 0 } call) return shared.Options.RequestTimeout;
        return TimeSpan.FromMilliseconds(Math.Clamp((double)call.DeadlineUnixMs - replica.NowMs, 1, 60_000));
    }

    void End(IContext context, GrainEventKind what, string reason)
    {
        if (_ended) return;
        _ended = true;
        context.Send(host, new GrainHost.Ended(activation, what, reason));
        context.Stop(context.Self);
    }

    static bool EndsActivation(Failure failure) => failure.Outcome == OutcomeKind.Unknown
        ? failure.Code != ErrorCode.SessionExpired
        : failure.Code is not (ErrorCode.Overloaded or ErrorCode.Conflict or ErrorCode.SessionExpired);

    static void Respond(IContext context, IMessage reply, ByteString bytes) =>
        Send(context, context.Message is GrainCall ? new GrainReply { MessageType = reply.Descriptor.FullName, Message = bytes } : reply);

    /// <summary>Answers with what the state machine kept, or why it refused.</summary>
    void Respond(IContext context, CommandReply stored)
    {
        if (stored.Failure is { } failure)
        {
            Respond(context, failure);
            return;
        }

        // Only a call in its envelope has a session, and so a stored reply.
        var reply = StoredGrainReply.Parser.ParseFrom(stored.PartReply);
        Send(context, new GrainReply { MessageType = reply.ReplyType, Message = reply.Reply });
    }

    static void Respond(IContext context, Failure failure)
    {
        // A plain message that was not executed here because the activation is over goes the way of every message to an
        // actor that is gone: the sender's cluster looks again and repeats it.
        var gone = failure is { Outcome: OutcomeKind.NotExecuted, Code: ErrorCode.NotLeader or ErrorCode.StaleEpoch or ErrorCode.NodeStopping };
        if (gone && context.Message is not GrainCall) Send(context, new DeadLetterResponse { Target = context.Self });
        else Send(context, new GrainReply { Failure = failure });
    }

    static void Send(IContext context, object reply)
    {
        if (context.Sender is { } sender) context.Send(sender, reply);
    }

    readonly record struct Confirmed(ulong Version, SessionVerdict Verdict, CommandReply? Stored);
}
