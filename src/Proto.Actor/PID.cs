using Google.Protobuf;

namespace Proto;

/// <summary>The address of a process: where its system listens, and its id there. Two PIDs are equal when all three fields are.</summary>
public partial class PID : ICustomDiagnosticMessage
{
    // The resolved process; dropped when it died or when the PID is used by another system of this OS process.
    private Process? _process;

    public PID(string address, string id)
    {
        Address = address;
        Id = id;
    }

    internal PID(string address, string id, Process process, uint requestId = 0) : this(address, id)
    {
        _process = process;
        RequestId = requestId;
    }

    public static PID FromAddress(string address, string id) => new(address, id);

    /// <summary>The same process, with the slot of a shared future.</summary>
    public PID WithRequestId(uint requestId) => new(Address, Id) { _process = _process, RequestId = requestId };

    /// <summary>Stops the actor after its current message; what is queued goes to dead letters.</summary>
    public void Stop(ActorSystem system) => Ref(system).Stop(this);

    public string ToDiagnosticString() =>
        RequestId == 0 ? $"{Address}/{Id}" : $"{Address}/{Id}#{RequestId}";

    internal void SendUserMessage(ActorSystem system, object message) => Ref(system).SendUserMessage(this, message);

    internal void SendSystemMessage(ActorSystem system, SystemMessage message) => Ref(system).SendSystemMessage(this, message);

    internal Process Ref(ActorSystem system)
    {
        var process = _process;
        return process is not null && !process.IsDead && process.System == system ? process : Resolve(system);
    }

    private Process Resolve(ActorSystem system)
    {
        var process = system.ProcessRegistry.Get(this);
        // A missing process may be registered later, so dead letters are never remembered.
        _process = process is DeadLetterProcess ? null : process;
        return process;
    }
}
