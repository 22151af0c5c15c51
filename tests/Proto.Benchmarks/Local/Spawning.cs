using Proto.Benchmarks.Measuring;

namespace Proto.Benchmarks.Local;

/// <summary>Spawns actors that do nothing. Done when each of them has handled <see cref="Started"/>; the system is then thrown away.</summary>
sealed class Spawning : IScenario
{
    public async Task RunAsync(int operations)
    {
        var system = new ActorSystem();
        var idle = new IdleActors(operations);
        idle.Spawn(system);
        await idle.AllStarted;
    }
}
