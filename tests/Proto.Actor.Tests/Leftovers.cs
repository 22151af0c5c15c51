namespace Proto.Actor.Tests;

internal static class Leftovers
{
    /// <summary>As many futures as the shared future has slots need no process of their own, and one more does.</summary>
    public static void AssertAllSharedSlotsAreFree(ActorSystem system)
    {
        var before = system.ProcessRegistry.ProcessCount;
        var futures = new List<IFuture>();
        for (var slot = 0; slot < system.Config.SharedFutureSize; slot++) futures.Add(system.Root.GetFuture());
        var own = system.ProcessRegistry.ProcessCount - before;
        futures.Add(system.Root.GetFuture());
        var ownOfOneMore = system.ProcessRegistry.ProcessCount - before;
        foreach (var future in futures) future.Dispose();

        Assert.Equal(0, own);
        Assert.Equal(1, ownOfOneMore);
    }
}
