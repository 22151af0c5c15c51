using System.Diagnostics;
using Proto.Deterministic.Network;
using Proto.Remote.Transport;

namespace Proto.Deterministic;

/// <summary>
/// Several actor systems in one process, on one thread, with one virtual clock and a network in memory. Everything that is left to chance in
/// production (which turn or continuation runs next, delays, ids, jitter) is drawn from the seed: the same seed and code give the same
/// run, step by step. Made, driven and disposed by one thread; work that shows up on another ends the run with a failure.
/// </summary>
public sealed class DeterministicWorld : IDisposable
{
    static readonly TimeSpan DefaultLimit = TimeSpan.FromMinutes(10);

    readonly int _thread = Environment.CurrentManagedThreadId;
    readonly ExecutionContext? _flow = ExecutionContext.Capture();
    readonly RunQueue _ready;
    readonly Agenda _agenda;
    readonly Dictionary<string, Node> _nodes = new(StringComparer.Ordinal);
    readonly Node _driver;
    volatile string? _escape;
    bool _running;
    int _stepsAtThisTime;

    public DeterministicWorld(ulong seed)
    {
        Seed = seed;
        _ready = new RunQueue(RandomFor("schedule"));
        _agenda = new Agenda(RandomFor("ties"));
        Network = new SimulatedNetwork(this);
        _driver = new Node(this, "test");
    }

    public ulong Seed { get; }

    /// <summary>Virtual time since the world began.</summary>
    public TimeSpan Now { get; private set; }

    /// <summary>Work items run so far.</summary>
    public long Steps { get; private set; }

    public WorldTrace Trace { get; } = new();

    /// <summary>The links between the systems, and their faults.</summary>
    public SimulatedNetwork Network { get; }

    /// <summary>The clock of the world's code that belongs to no system.</summary>
    public TimeProvider Time => _driver.Time;

    /// <summary>Work that runs longer without any time passing is taken for an endless loop.</summary>
    public int MaxStepsWithoutTime { get; init; } = 1_000_000;

    /// <summary>A generator of its own for one concern ("faults", "clients"): draws added to one shift no other's.</summary>
    public SeededRandom RandomFor(string concern) => new(StableHash.Add(Seed * 0x9E3779B97F4A7C15, concern));

    /// <summary>An actor system that lives in this world; remoting, cluster and actors are added to it as to any other.</summary>
    /// <param name="name">The node's name in traces and for the network's faults.</param>
    /// <param name="config">Its clock and runtime are replaced by the world's; without a logger factory its log goes to the trace's listener.</param>
    public ActorSystem CreateSystem(string name, ActorSystemConfig? config = null)
    {
        CheckThread("a system was created");
        var node = new Node(this, name);
        _nodes.Add(name, node);
        var system = new ActorSystem((config ?? ActorSystemConfig.Setup()) with
        {
            Runtime = node.Runtime,
            TimeProvider = node.Time,
            LoggerFactory = config?.LoggerFactory ?? new TraceLogs(node),
        });
        system.Extensions.Register<ITransport>(new SimulatedTransport(Network, node));
        return system;
    }

    /// <summary>
    /// Ends a system as <c>kill -9</c> does: nothing of it runs any more, its connections are reset and its port refuses calls. Tasks of its
    /// code never complete; await them from its own code only.
    /// </summary>
    public void Kill(ActorSystem system) => Kill(system, silently: false);

    /// <summary>Ends a system as a power cut does: no word reaches its peers, who have to find out.</summary>
    public void CutPower(ActorSystem system) => Kill(system, silently: true);

    /// <summary>Nothing of the system runs until it is resumed, as with <c>SIGSTOP</c> or a long garbage collection. Its connections stay until keep-alive ends them.</summary>
    public void Pause(ActorSystem system)
    {
        CheckThread("a system was paused");
        var node = NodeOf(system);
        if (node.IsDead || node.PausedSince is not null) return;
        Record(node, "pause", node.Name);
        node.PausedSince = Now;
        Network.Paused(node);
    }

    /// <summary>What waited runs, in any order; timers that were due meanwhile fire late.</summary>
    public void Resume(ActorSystem system)
    {
        CheckThread("a system was resumed");
        var node = NodeOf(system);
        if (node.PausedSince is null) return;
        Record(node, "resume", node.Name);
        node.PausedSince = null;
        foreach (var item in node.Parked) Enqueue(item);
        node.Parked.Clear();
    }

    /// <summary>Starts work as code of the system: it ends with the system. For what a program does after it has made its system.</summary>
    public Task Start(ActorSystem system, Func<Task> work) => NodeOf(system).Start(work);

    /// <summary>Runs the world until the scenario has completed.</summary>
    /// <param name="scenario">Runs inside the world, on no system: everything asynchronous of a test belongs in here.</param>
    /// <param name="limit">Longest virtual time; ten minutes if not given.</param>
    /// <exception cref="DeterministicFailureException">
    /// It failed, did not complete in time, nothing is left that could complete it, or work left the world's thread.
    /// </exception>
    public void Run(Func<Task> scenario, TimeSpan? limit = null)
    {
        var running = _driver.Start(scenario);
        if (!RunUntil(() => running.IsCompleted, limit ?? DefaultLimit))
        {
            var idle = _agenda.IsEmpty && _ready.Count == 0;
            throw Failure(idle ? "nothing is left to run, and the scenario still waits" : $"the scenario did not complete within {limit ?? DefaultLimit}");
        }

        try
        {
            running.GetAwaiter().GetResult();
        }
        catch (Exception failure)
        {
            throw Failure("the scenario failed", failure);
        }
    }

    /// <summary>Runs the world for a span of virtual time.</summary>
    public void RunFor(TimeSpan span) => RunUntil(static () => false, span);

    /// <summary>Runs until the condition holds (true), or the time or the work is used up (false). It is asked after every step.</summary>
    public bool RunUntil(Func<bool> condition, TimeSpan limit)
    {
        CheckThread("the world was run");
        if (_running) throw new InvalidOperationException("the world runs already: inside it, await instead");
        var end = Now + limit;
        var former = SynchronizationContext.Current;
        _running = true;
        try
        {
            while (!condition())
            {
                if (!TryStep(end)) return false;
            }

            return true;
        }
        finally
        {
            _running = false;
            SynchronizationContext.SetSynchronizationContext(former);
            ThrowIfEscaped();
        }
    }

    /// <summary>What still waits: armed timers and open connections. Empty after all systems were shut down and their last timers ran out.</summary>
    public IReadOnlyList<string> Leftovers() =>
    [
        .. _agenda.Standing().Select(entry => $"{entry.Work.Node.Name}: {entry.Work.Kind} {entry.Work.Subject} due at {entry.Due}").Order(StringComparer.Ordinal),
        .. Network.OpenConnections(),
    ];

    /// <exception cref="DeterministicFailureException">Work has left the world's thread.</exception>
    public void Dispose()
    {
        CheckThread("the world was disposed");
        foreach (var node in _nodes.Values) node.IsDead = true;
        ThrowIfEscaped();
    }

    internal bool IsOnItsThread => Environment.CurrentManagedThreadId == _thread;

    internal bool HasEscaped => _escape is not null;

    internal void Enqueue(in WorkItem item)
    {
        CheckThread("work was queued");
        if (!item.Node.IsDead) _ready.Add(item);
    }

    /// <summary>Queues the work when the time has come.</summary>
    internal Agenda.Entry After(TimeSpan delay, in WorkItem item) => _agenda.Add(Now + delay, item);

    internal void Record(Node node, string kind, string subject, string detail = "", ulong content = 0) =>
        Trace.Add(Now, node.Name, kind, subject, detail, content);

    internal void Escaped(string what) =>
        _escape ??= $"{what}: the world runs on thread {_thread}, this is thread {Environment.CurrentManagedThreadId}\n{new StackTrace(1)}";

    internal void CheckThread(string what)
    {
        if (IsOnItsThread) return;
        Escaped(what);
        throw new InvalidOperationException(_escape);
    }

    internal DeterministicFailureException Failure(string what, Exception? cause = null) =>
        new(Seed, $"after {Steps} steps, at {Now}: {what}", cause, Trace.Tail(40));

    Node NodeOf(ActorSystem system) =>
        _nodes.Values.FirstOrDefault(node => ReferenceEquals(node.Runtime, system.Config.Runtime))
        ?? throw new ArgumentException("the system does not live in this world", nameof(system));

    void Kill(ActorSystem system, bool silently)
    {
        CheckThread("a system was killed");
        var node = NodeOf(system);
        if (node.IsDead) return;
        Record(node, silently ? "power cut" : "kill", node.Name);
        node.IsDead = true;
        node.LostPower = silently;
        node.Parked.Clear();
        _ready.Remove(node);
        Network.Died(node, silently);
    }

    bool TryStep(TimeSpan end)
    {
        ThrowIfEscaped();
        if (_ready.Count == 0 && !Advance(end)) return false;
        if (++_stepsAtThisTime > MaxStepsWithoutTime) throw Failure($"{MaxStepsWithoutTime} steps without any time passing: an endless loop");

        var item = _ready.Take();
        if (item.Node.PausedSince is not null)
        {
            item.Node.Parked.Add(item);
            return true;
        }

        Steps++;
        Record(item.Node, item.Kind, item.Subject);
        SynchronizationContext.SetSynchronizationContext(item.Node.Context);
        try
        {
            item.Callback(item.State);
        }
        catch (Exception unhandled)
        {
            throw Failure($"unhandled in {item.Kind} {item.Subject} of {item.Node.Name}", unhandled);
        }

        // What a step sets for its callees is not for the next step.
        if (_flow is not null && ExecutionContext.Capture() != _flow) ExecutionContext.Restore(_flow);
        return true;
    }

    /// <summary>Nothing can run: time jumps to what is due next. False when there is nothing, or not before the end.</summary>
    bool Advance(TimeSpan end)
    {
        var next = _agenda.Peek();
        if (next is null || next.Due > end)
        {
            if (end > Now) Now = end;
            return false;
        }

        if (next.Due > Now)
        {
            Now = next.Due;
            _stepsAtThisTime = 0;
        }

        for (; next is not null && next.Due <= Now; next = _agenda.Peek())
        {
            _agenda.TakeFirst();
            _ready.Add(next.Work);
        }

        return true;
    }

    void ThrowIfEscaped()
    {
        if (_escape is { } escape) throw Failure($"work left the world's thread: {escape}");
    }
}
