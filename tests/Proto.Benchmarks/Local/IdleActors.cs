namespace Proto.Benchmarks.Local;

/// <summary>Actors that never get a message beyond <see cref="Started"/>.</summary>
sealed class IdleActors
{
    readonly TaskCompletionSource _allStarted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly int _count;
    int _toStart;

    public IdleActors(int count) => _count = _toStart = count;

    public Task AllStarted => _allStarted.Task;

    public void Spawn(ActorSystem system)
    {
        var props = Props.FromProducer(() => new Idle(this));
        for (var i = 0; i < _count; i++) system.Root.Spawn(props);
    }

    /// <summary>Heap bytes that each of many actors holds while it is idle.</summary>
    public static async Task<double> BytesEachAsync(int count)
    {
        await using var system = new ActorSystem();
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var idle = new IdleActors(count);
        idle.Spawn(system);
        await idle.AllStarted;
        var after = GC.GetTotalMemory(forceFullCollection: true);
        return (double)(after - before) / count;
    }

    void Started()
    {
        if (Interlocked.Decrement(ref _toStart) == 0) _allStarted.SetResult();
    }

    sealed class Idle(IdleActors all) : IActor
    {
        public Task ReceiveAsync(IContext context)
        {
            if (context.Message is Started) all.Started();
            return Task.CompletedTask;
        }
    }
}
