using System.Buffers.Binary;
using Proto.Mailbox;

namespace Proto.Deterministic;

/// <summary>Takes the place of thread pool and random numbers for one system.</summary>
sealed class NodeRuntime : ISystemRuntime
{
    readonly Node _node;
    readonly SeededRandom _ids;
    readonly SeededRandom _jitter;
    readonly SeededRandom _throughput;

    public NodeRuntime(Node node)
    {
        _node = node;
        _ids = node.World.RandomFor($"ids/{node.Name}");
        _jitter = node.World.RandomFor($"jitter/{node.Name}");
        _throughput = node.World.RandomFor($"throughput/{node.Name}");
    }

    /// <summary>
    /// Takes the place of the thread pool; other dispatchers say themselves where work runs. How many messages a turn handles is drawn: the
    /// fewer, the more other actors come in between.
    /// </summary>
    public IDispatcher DispatcherFor(IDispatcher wanted, PID? owner)
    {
        _node.World.CheckThread("a dispatcher was chosen");
        if (wanted is not ThreadPoolDispatcher) return wanted;
        var throughput = _throughput.Chance(0.5) ? wanted.Throughput : _throughput.Next(1, 4);
        return new WorldDispatcher(_node, owner?.Id ?? "$events", throughput);
    }

    public IMessageInvoker Observe(PID actor, IMessageInvoker invoker) => new TracingInvoker(_node, actor.Id, invoker);

    public Task Run(Func<Task> work) => _node.Start(work);

    public Guid NewGuid()
    {
        _node.World.CheckThread("an id was made");
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, _ids.NextUInt64());
        BinaryPrimitives.WriteUInt64BigEndian(bytes[8..], _ids.NextUInt64());
        return new Guid(bytes, bigEndian: true);
    }

    public double NextDouble()
    {
        _node.World.CheckThread("a random number was drawn");
        return _jitter.NextDouble();
    }

    sealed class WorldDispatcher(Node node, string owner, int throughput) : IDispatcher
    {
        public int Throughput => throughput;

        public void Schedule(Func<Task> runner) =>
            node.World.Enqueue(new WorkItem(node, "turn", owner, static run => _ = ((Func<Task>)run!)(), runner));
    }

    /// <summary>Writes each message into the trace as its actor gets it.</summary>
    sealed class TracingInvoker(Node node, string actor, IMessageInvoker inner) : IMessageInvoker
    {
        public ValueTask InvokeSystemMessageAsync(SystemMessage msg)
        {
            node.World.Record(node, "receive", actor, msg.GetType().Name);
            return inner.InvokeSystemMessageAsync(msg);
        }

        public ValueTask InvokeUserMessageAsync(object msg)
        {
            node.World.Record(node, "receive", actor, MessageEnvelope.UnwrapMessage(msg)?.GetType().Name ?? "null");
            return inner.InvokeUserMessageAsync(msg);
        }

        public void EscalateFailure(Exception reason, object? message)
        {
            node.World.Record(node, "fail", actor, reason.GetType().Name);
            inner.EscalateFailure(reason, message);
        }
    }
}
