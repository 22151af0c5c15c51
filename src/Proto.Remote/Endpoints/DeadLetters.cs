using Proto.Remote.Wire;

namespace Proto.Remote.Endpoints;

/// <summary>What becomes of a message that certainly was not sent. (One that may have left is never reported as a dead letter: nobody knows.)</summary>
static class DeadLetters
{
    /// <summary>Publishes the dead letter and tells who waits: the requester, or the watcher.</summary>
    public static void NotSent(ActorSystem system, in OutgoingMessage message)
    {
        switch (message.Message)
        {
            case Watch watch:
                watch.Watcher.SendSystemMessage(system, new Terminated { Who = message.Target, Why = TerminatedReason.AddressTerminated });
                break;
            case SystemMessage systemMessage:
                system.DeadLetter.SendSystemMessage(message.Target, systemMessage);
                break;
            case var user when message.Sender is null && message.Header is null:
                system.DeadLetter.SendUserMessage(message.Target, user);
                break;
            case var user:
                system.DeadLetter.SendUserMessage(message.Target, new Proto.MessageEnvelope(user, message.Sender, message.Header));
                break;
        }
    }
}
