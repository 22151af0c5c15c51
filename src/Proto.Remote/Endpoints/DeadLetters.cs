using Proto.Remote.Wire;

namespace Proto.Remote.Endpoints;

/// <summary>What becomes of a message that does not reach its target, or may not have.</summary>
static class DeadLetters
{
    /// <summary>It certainly was not sent: publishes the dead letter and tells who waits: the requester, with the reason, or the watcher.</summary>
    public static void NotSent(ActorSystem system, in OutgoingMessage message, string reason)
    {
        switch (message.Message)
        {
            case Watch watch:
                watch.Watcher.SendSystemMessage(system, new Terminated { Who = message.Target, Why = TerminatedReason.AddressTerminated });
                break;
            case SystemMessage systemMessage:
                system.DeadLetter.SendSystemMessage(message.Target, systemMessage);
                break;
            case var user:
                ((DeadLetterProcess)system.DeadLetter).Undelivered(message.Target, new Proto.MessageEnvelope(user, message.Sender, message.Header), reason);
                break;
        }
    }

    /// <summary>
    /// It may have been sent: publishes that, and tells the requester that the outcome is unknown. A watch is not reported: its endpoint repeats it,
    /// or ends it with <see cref="TerminatedReason.AddressTerminated"/>.
    /// </summary>
    public static void MaybeSent(ActorSystem system, in OutgoingMessage message, string reason)
    {
        if (message.IsRefused || message.Message is Watch) return;
        ((DeadLetterProcess)system.DeadLetter).ReportUnknownOutcome(message.Target, message.Message, message.Sender, message.Header, reason);
        if (message.Sender is null || message.Message is PoisonPill) return;
        var answer = new UnknownOutcomeResponse { Target = message.Target, Reason = reason };
        if (message.Sender.Ref(system) is IFutureProcess futures) futures.Find(message.Sender)?.TryReply(answer);
        else message.Sender.SendUserMessage(system, answer);
    }
}
