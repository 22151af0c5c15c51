using Proto.Remote.Wire;

namespace Proto.Remote.Endpoints;

/// <summary>Stands for every process behind one endpoint: what is sent to it goes into the endpoint's queue.</summary>
sealed class RemoteProcess(ActorSystem system, Serialization serialization, IEndpoint endpoint) : Process(system)
{
    /// <summary>What a message without a body takes: its place in the queue, its ids and its part of the wire.</summary>
    const int Overhead = 64;

    protected internal override void SendUserMessage(PID pid, object message)
    {
        if (message is Proto.MessageEnvelope envelope)
        {
            var header = envelope.Header;
            Send(pid, envelope.Message, envelope.Sender, header.Count == 0 ? null : header);
        }
        else
        {
            Send(pid, message, null, null);
        }
    }

    protected internal override void SendSystemMessage(PID pid, SystemMessage message) => endpoint.SendSystem(pid, message);

    /// <summary>PIDs that remember this process ask the registry again.</summary>
    public void Retire() => IsDead = true;

    void Send(PID target, object message, PID? sender, Proto.MessageHeader? header)
    {
        var bytes = Overhead + serialization.EstimateBytes(System, message);
        if (header is not null)
        {
            foreach (var (key, value) in header) bytes += key.Length + value.Length;
        }

        endpoint.Send(new OutgoingMessage(target, message, sender, header, bytes), message is IRemotePriorityMessage);
    }
}
