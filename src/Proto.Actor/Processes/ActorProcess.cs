using Proto.Mailbox;

namespace Proto;

/// <summary>A local actor: hands messages to its mailbox.</summary>
public sealed class ActorProcess : Process
{
    public ActorProcess(ActorSystem system, IMailbox mailbox) : base(system) => Mailbox = mailbox;

    internal IMailbox Mailbox { get; }

    protected internal override void SendUserMessage(PID pid, object message)
    {
        if (MessageEnvelope.UnwrapMessage(message) is IMessageBatch batch)
        {
            foreach (var part in batch.GetMessages()) Mailbox.PostUserMessage(part);
        }

        Mailbox.PostUserMessage(message);
    }

    protected internal override void SendSystemMessage(PID pid, SystemMessage message) => Mailbox.PostSystemMessage(message);
}
