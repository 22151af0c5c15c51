namespace Proto;

/// <summary>What a PID resolves to: an actor, a future, a remote endpoint, dead letters.</summary>
public abstract class Process
{
    // Set when the process leaves the registry; a PID that remembers it then asks the registry again.
    private volatile bool _isDead;

    protected Process(ActorSystem system) => System = system;

    protected internal ActorSystem System { get; }

    /// <summary>The local actor behind this process; null when it is none.</summary>
    internal ActorContext? Context { get; set; }

    internal bool IsDead
    {
        get => _isDead;
        set => _isDead = value;
    }

    /// <summary>Delivers a message (bare or in a <see cref="MessageEnvelope"/>). Must be safe from any thread, and must not block.</summary>
    protected internal abstract void SendUserMessage(PID pid, object message);

    /// <inheritdoc cref="SendUserMessage"/>
    protected internal abstract void SendSystemMessage(PID pid, SystemMessage message);

    public virtual void Stop(PID pid) => SendSystemMessage(pid, Proto.Stop.Instance);
}
