namespace Proto.Deterministic;

/// <summary>One simulated OS process: what its system's code runs, waits for and draws belongs to it, and ends with it.</summary>
sealed class Node
{
    public Node(DeterministicWorld world, string name)
    {
        World = world;
        Name = name;
        Context = new NodeContext(this);
        Time = new VirtualTime(this);
        Runtime = new NodeRuntime(this);
    }

    public DeterministicWorld World { get; }

    public string Name { get; }

    public NodeContext Context { get; }

    public VirtualTime Time { get; }

    public NodeRuntime Runtime { get; }

    public bool IsDead { get; set; }

    /// <summary>It is dead, and so is its machine: nobody there refuses calls.</summary>
    public bool LostPower { get; set; }

    /// <summary>Since when nothing of it runs; null: it runs.</summary>
    public TimeSpan? PausedSince { get; set; }

    /// <summary>What could have run while it was paused.</summary>
    public List<WorkItem> Parked { get; } = [];

    /// <summary>Runs work on this node in a step of its own. The task ends with the work; never, if the node dies before.</summary>
    public Task Start(Func<Task> work)
    {
        var started = new StartedWork(work);
        World.Enqueue(new WorkItem(this, "start", WorkNames.Of(work), static state => ((StartedWork)state!).Begin(), started));
        return started.Completion;
    }

    sealed class StartedWork
    {
        readonly TaskCompletionSource<Task> _running = new();
        readonly Func<Task> _work;

        public StartedWork(Func<Task> work)
        {
            _work = work;
            Completion = _running.Task.Unwrap();
        }

        public Task Completion { get; }

        public void Begin() => _running.SetResult(RunAsync());

        // Awaited here, so that the work's own task cannot complete anything on the thread pool.
        async Task RunAsync() => await _work();
    }
}

/// <summary>Brings every continuation of a node's code back into the world's queue.</summary>
sealed class NodeContext(Node node) : SynchronizationContext
{
    public override void Post(SendOrPostCallback d, object? state)
    {
        if (!node.World.IsOnItsThread)
        {
            node.World.Escaped($"{WorkNames.OfContinuation(state)} of {node.Name} came back from another thread");
            return;
        }

        node.World.Enqueue(new WorkItem(node, "continue", WorkNames.OfContinuation(state), d, state));
    }

    public override void Send(SendOrPostCallback d, object? state)
    {
        node.World.CheckThread("Send was called");
        d(state);
    }

    public override SynchronizationContext CreateCopy() => this;
}
