namespace Proto;

/// <summary>Stopping that waits: a future watches the process.</summary>
internal static class Stopper
{
    public static Task StopAsync(ActorSystem system, PID pid)
    {
        var terminated = WatchFor(system, pid);
        pid.Stop(system);
        return terminated;
    }

    public static Task PoisonAsync(ActorSystem system, PID pid)
    {
        var terminated = WatchFor(system, pid);
        pid.SendUserMessage(system, PoisonPill.Instance);
        return terminated;
    }

    private static Task<object> WatchFor(ActorSystem system, PID pid)
    {
        var future = new ObjectFuture(system);
        pid.SendSystemMessage(system, new Watch(future.Pid));
        return future.Task;
    }
}
