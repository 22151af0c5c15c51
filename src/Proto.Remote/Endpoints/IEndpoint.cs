using Proto.Remote.Wire;

namespace Proto.Remote.Endpoints;

/// <summary>The way to one other system.</summary>
interface IEndpoint
{
    RemoteProcess Process { get; }

    /// <summary>Queues, or makes a dead letter. Never blocks.</summary>
    void Send(in OutgoingMessage message);

    void SendSystem(PID target, SystemMessage message);
}
