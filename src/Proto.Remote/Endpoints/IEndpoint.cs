using Proto.Remote.Wire;

namespace Proto.Remote.Endpoints;

/// <summary>The way to one other system.</summary>
interface IEndpoint
{
    RemoteProcess Process { get; }

    /// <summary>Queues in one of the two lanes, or makes a dead letter. Never blocks.</summary>
    void Send(in OutgoingMessage message, bool priority);

    void SendSystem(PID target, SystemMessage message);
}
