using Proto.Remote.Wire;

namespace Proto.Remote.Endpoints;

/// <summary>Stands for every process behind one endpoint: what is sent to it goes into the endpoint's queue.</summary>
sealed class RemoteProcess(ActorSystem system, IEndpoint endpoint) : Process(system)
{
    protected internal override void SendUserMessage(PID pid, object message)
    {
        if (message is Proto.MessageEnvelope envelope)
        {
            var header = envelope.Header;
            endpoint.Send(new OutgoingMessage(pid, envelope.Message, envelope.Sender, header.Count == 0 ? null : header));
        }
        else
        {
            endpoint.Send(new OutgoingMessage(pid, message, null, null));
        }
    }

    protected internal override void SendSystemMessage(PID pid, SystemMessage message) => endpoint.SendSystem(pid, message);

    /// <summary>PIDs that remember this process ask the registry again.</summary>
    public void Retire() => IsDead = true;
}
