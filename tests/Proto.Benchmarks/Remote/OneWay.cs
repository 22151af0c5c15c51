using Proto.Benchmarks.Measuring;
using Proto.Benchmarks.Messages;

namespace Proto.Benchmarks.Remote;

/// <summary>One sender to one actor of the other process; asks now and then how many have come, so that no more are under way than the queues hold.</summary>
sealed class OneWay(ActorSystem system, PID sink, Payload message) : IScenario
{
    const int BetweenCounts = 16 * 1024;
    const int CountsUnderWay = 4;

    long _sent;

    public async Task RunAsync(int operations)
    {
        var counts = new Queue<(long Sent, Task<Counted> Counted)>();
        for (var left = operations; left > 0; left -= BetweenCounts)
        {
            var now = Math.Min(left, BetweenCounts);
            for (var i = 0; i < now; i++) system.Root.Send(sink, message);
            _sent += now;
            counts.Enqueue((_sent, system.Root.RequestAsync<Counted>(sink, new Count())));
            if (counts.Count == CountsUnderWay) await CheckAsync(counts.Dequeue());
        }

        while (counts.TryDequeue(out var count)) await CheckAsync(count);
    }

    public async Task<Usage> UsageElsewhereAsync()
    {
        var counted = await system.Root.RequestAsync<Counted>(sink, new Count());
        return new Usage(counted.AllocatedBytes, TimeSpan.FromTicks(counted.ProcessorTicks));
    }

    static async Task CheckAsync((long Sent, Task<Counted> Counted) count)
    {
        var counted = await count.Counted;
        if (counted.Payloads != count.Sent) throw new InvalidOperationException($"{count.Sent} messages were sent and {counted.Payloads} came");
    }
}
