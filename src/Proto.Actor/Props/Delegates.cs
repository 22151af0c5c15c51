namespace Proto;

/// <summary>An actor. The engine gives it one message at a time, and the next one when the task is done.</summary>
public interface IActor
{
    Task ReceiveAsync(IContext context);
}

public delegate Task Receive(IContext context);

public delegate Task Receiver(IReceiverContext context, MessageEnvelope envelope);

public delegate Task Sender(ISenderContext context, PID target, MessageEnvelope envelope);

public delegate PID Spawner(ActorSystem system, string id, Props props, PID? parent, Action<IContext>? callback = null);

public delegate IActor Producer();

public delegate IActor ProducerWithSystem(ActorSystem system);

public delegate IActor ProducerWithSystemAndContext(ActorSystem system, IContext context);

public delegate Mailbox.IMailbox MailboxProducer();

internal sealed class FunctionActor(Receive receive) : IActor
{
    public Task ReceiveAsync(IContext context) => receive(context);
}
