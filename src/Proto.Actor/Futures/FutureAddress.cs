namespace Proto;

/// <summary>Addresses of futures: a slot of the shared future while that has room, otherwise a process of its own.</summary>
internal static class FutureAddress
{
    public static PID Create(ActorSystem system, IFutureSlot slot) =>
        system.SharedFuture is { } shared && shared.TryRent(slot, out var pid) ? pid : new FutureProcess(system, slot).Pid;

    /// <summary>Gives the address back. Doing so twice is harmless.</summary>
    public static void Release(ActorSystem system, PID pid, IFutureSlot slot)
    {
        if (pid.RequestId == 0) system.ProcessRegistry.Remove(pid);
        else system.SharedFuture!.Return(pid.RequestId, slot);
    }
}
