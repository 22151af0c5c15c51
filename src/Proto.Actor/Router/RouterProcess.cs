using Microsoft.Extensions.Logging;
using Proto.Mailbox;
using Proto.Router.Messages;

namespace Proto.Router;

/// <summary>
/// A router: routes on the sender's thread, without a turn of any actor. Behind it, a <see cref="RouterActor"/> with a mailbox of its own looks after
/// the routees' lives. Per sender, messages and changes of the routees take effect in the order in which they were sent.
/// </summary>
internal sealed partial class RouterProcess(ActorSystem system, IMailbox mailbox, RouteeSet routees) : Process(system)
{
    private readonly ILogger _logger = system.LoggerFactory.CreateLogger<RouterProcess>();

    protected internal override void SendUserMessage(PID pid, object message)
    {
        switch (MessageEnvelope.UnwrapMessage(message))
        {
            case RouterBroadcastMessage broadcast:
                Send(pid, routees.Current.AsSpan(), message is MessageEnvelope envelope ? envelope.WithMessage(broadcast.Message) : broadcast.Message);
                break;
            case RouterAddRoutee added:
                if (routees.Add(added.PID)) mailbox.PostUserMessage(new RouteeAdded(added.PID));
                break;
            case RouterRemoveRoutee removed:
                if (routees.Remove(removed.PID)) mailbox.PostUserMessage(new RouteeRemoved(removed.PID));
                break;
            case RouterGetRoutees:
                (MessageEnvelope.UnwrapSender(message) ?? System.DeadLetterPid).SendUserMessage(System, new Routees(routees.Current));
                break;
            case PoisonPill:
                mailbox.PostUserMessage(PoisonRoutees.Instance);
                break;
            case Housekeeping or IAutoReceiveMessage:
                mailbox.PostUserMessage(message);
                break;
            default:
                Send(pid, Choose(pid, message), message);
                break;
        }
    }

    protected internal override void SendSystemMessage(PID pid, SystemMessage message) => mailbox.PostSystemMessage(message);

    private ReadOnlySpan<PID> Choose(PID pid, object message)
    {
        try
        {
            return routees.Logic.Choose(MessageEnvelope.UnwrapMessage(message)!);
        }
        catch (Exception reason)
        {
            // The sender may be another system's stream, which a bad message of one actor must not break.
            LogNotRouted(_logger, pid.ToDiagnosticString(), MessageEnvelope.UnwrapMessage(message)!.GetType().Name, reason);
            return default;
        }
    }

    private void Send(PID pid, ReadOnlySpan<PID> targets, object message)
    {
        if (targets.IsEmpty) System.DeadLetter.SendUserMessage(pid, message);
        foreach (var target in targets) target.SendUserMessage(System, message);
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "{Router} has no way to route {MessageType}, which becomes a dead letter")]
    private static partial void LogNotRouted(ILogger logger, string router, string messageType, Exception reason);
}
