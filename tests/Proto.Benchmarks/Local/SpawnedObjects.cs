using System.Collections.Concurrent;
using Proto.Benchmarks.Measuring;
using Proto.Mailbox;

namespace Proto.Benchmarks.Local;

/// <summary>
/// Makes the objects of an actor and enters it in a dictionary by its id, without running anything: the name, the PID, the mailbox, the process, the actor,
/// and an object of the size of the engine's context.
/// </summary>
sealed class SpawnedObjects : IScenario
{
    readonly ActorSystem _system = new();
    readonly ConcurrentDictionary<string, Context> _byId = new(StringComparer.Ordinal);

    public static double BytesEach(int count)
    {
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var objects = new SpawnedObjects();
        objects.Make(count);
        var after = GC.GetTotalMemory(forceFullCollection: true);
        GC.KeepAlive(objects);
        return (double)(after - before) / count;
    }

    public Task RunAsync(int operations) => Task.Run(() => new SpawnedObjects().Make(operations));

    void Make(int count)
    {
        for (var i = 0; i < count; i++)
        {
            var id = _system.ProcessRegistry.NextId();
            var mailbox = UnboundedMailbox.Create();
            _byId[id] = new Context(_system, mailbox, new ActorProcess(_system, mailbox), new PID(_system.Address, id), new Actor());
        }
    }

    sealed record Context(ActorSystem System, IMailbox Mailbox, Process Process, PID Self, Actor Instance)
    {
        public object? Props { get; init; }
        public PID? Parent { get; init; }
        public object? Message { get; init; }
        public object? Extras { get; init; }
        public long State { get; init; }
    }

    sealed class Actor : IActor
    {
        public Task ReceiveAsync(IContext context) => Task.CompletedTask;
    }
}
