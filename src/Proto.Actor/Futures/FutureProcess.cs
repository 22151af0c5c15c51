namespace Proto;

/// <summary>The address of one future.</summary>
internal sealed class FutureProcess : Process, IFutureProcess
{
    private readonly IFutureSlot _slot;

    public FutureProcess(ActorSystem system, IFutureSlot slot) : base(system)
    {
        _slot = slot;
        Pid = system.ProcessRegistry.TryAdd(system.ProcessRegistry.NextId(), this).pid;
    }

    public PID Pid { get; }

    public IFutureSlot? Find(PID pid) => _slot;

    protected internal override void SendUserMessage(PID pid, object message) => Deliver(System, _slot, pid, message);

    protected internal override void SendSystemMessage(PID pid, SystemMessage message) => DeliverSystem(System, _slot, pid, message);

    /// <summary>Ends the future; a message that comes too late is a dead letter.</summary>
    public static void Deliver(ActorSystem system, IFutureSlot? slot, PID pid, object message)
    {
        if (slot?.TryReply(message) != true) system.DeadLetter.SendUserMessage(pid, message);
    }

    /// <inheritdoc cref="Deliver"/>
    public static void DeliverSystem(ActorSystem system, IFutureSlot? slot, PID pid, SystemMessage message)
    {
        var ended = message switch
        {
            Terminated => slot?.TryReply(message),
            Proto.Stop => slot?.TryAbandon(new DeadLetterException(pid)),
            _ => null,
        };
        if (ended != true) system.DeadLetter.SendSystemMessage(pid, message);
    }
}
