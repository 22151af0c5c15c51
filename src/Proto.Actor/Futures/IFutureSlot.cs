namespace Proto;

/// <summary>Waits for one message. Exactly one of reply, abandonment, timeout and disposal ends it; whoever does gives its address back first.</summary>
internal interface IFutureSlot
{
    /// <summary>False when it had ended already.</summary>
    bool TryReply(object message);

    /// <inheritdoc cref="TryReply"/>
    bool TryAbandon(Exception reason);
}

/// <summary>A process that leads to futures.</summary>
internal interface IFutureProcess
{
    /// <summary>The future behind the PID; null when it has ended and its address was given away. Any other may have ended too, and says so.</summary>
    IFutureSlot? Find(PID pid);
}

/// <summary>A request under way, seen by whoever answers it.</summary>
internal interface IRequest : IFutureSlot
{
    /// <summary>Where the reply goes. Made when somebody asks for it: an answer inside the system goes to the request itself.</summary>
    PID Pid { get; }
}
