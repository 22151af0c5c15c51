namespace Proto.Actor.Tests;

/// <summary>Measures the heap, so nothing else may run meanwhile.</summary>
[CollectionDefinition(nameof(MailboxMemoryTests), DisableParallelization = true)]
public sealed class AloneOnTheHeap;

[Collection(nameof(MailboxMemoryTests))]
public sealed class MailboxMemoryTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(100)]
    public async Task An_idle_actor_needs_at_most_600_bytes_also_after_a_burst(int messages)
    {
        const int actors = 10_000;
        await using var system = TestSystem.Create();
        var props = Props.FromProducer(static () => new Idle());
        await Burst(system, [system.Root.Spawn(props)], 100); // whatever is made once
        var before = await SettledHeap();

        var pids = new PID[actors];
        for (var i = 0; i < actors; i++) pids[i] = system.Root.Spawn(props);
        await Burst(system, pids, messages);

        Assert.InRange(await HeldAfterCollections(before, 600 * actors) / actors, 200, 600);
        GC.KeepAlive(pids);
    }

    [Fact]
    public async Task A_mailbox_that_is_busy_while_others_shrink_does_so_later()
    {
        await using var system = TestSystem.Create();
        var pid = system.Root.Spawn(Props.FromProducer(static () => new Idle()));
        await Burst(system, [pid], 1);
        var before = await SettledHeap();
        await Burst(system, [pid], 100_000);
        var gate = new Gate();
        system.Root.Send(pid, gate);

        for (var i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        gate.Open();
        await Probe.Within(system.Root.RequestAsync<Touched>(pid, Touch.Instance));

        // The ring of the burst is over a megabyte; what else a process allocates meanwhile is not.
        Assert.InRange(await HeldAfterCollections(before, 200_000), long.MinValue, 200_000);
    }

    [Fact]
    public async Task Nothing_is_lost_or_reordered_while_mailboxes_shrink_under_their_senders()
    {
        const int senders = 3, perSender = 20_000;
        await using var system = TestSystem.Create();
        var last = new int[senders];
        var disorder = 0;
        var pid = system.Root.Spawn(Props.FromFunc(context =>
        {
            if (context.Message is not (int sender, int number)) return Task.CompletedTask;

            if (number != last[sender] + 1) disorder++;
            last[sender] = number;
            return Task.CompletedTask;
        }));

        var sending = Task.WhenAll(Enumerable.Range(0, senders).Select(sender => Task.Run(async () =>
        {
            for (var i = 1; i <= perSender; i++)
            {
                system.Root.Send(pid, (sender, i));
                // Pauses in which the queue runs empty, so that there is something to shrink.
                if (i % 50 == 0) await system.Root.RequestAsync<Touched>(pid, Touch.Instance, CancellationToken.None);
            }
        })));
        while (!sending.IsCompleted)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        await Probe.Within(sending);
        Assert.Equal(0, disorder);
        Assert.All(last, number => Assert.Equal(perSender, number));
    }

    /// <summary>The heap without what earlier tests left behind, which goes only step by step: finalizers and timers hold it.</summary>
    private static async Task<long> SettledHeap()
    {
        var (heap, unchanged) = (long.MaxValue, 0);
        while (unchanged < 3)
        {
            var now = GC.GetTotalMemory(forceFullCollection: true);
            unchanged = Math.Abs(now - heap) < 20_000 ? unchanged + 1 : 0;
            heap = now;
            GC.WaitForPendingFinalizers();
            await Task.Yield();
        }

        return heap;
    }

    /// <summary>Bytes held beyond those before; collects until they are few enough, or that has taken too long.</summary>
    private static async Task<long> HeldAfterCollections(long before, long enough)
    {
        for (var i = 0; ; i++)
        {
            var held = GC.GetTotalMemory(forceFullCollection: true) - before;
            if (held <= enough || i == 200) return held;

            GC.WaitForPendingFinalizers();
            await Task.Yield(); // the mailboxes shrink on the thread pool
        }
    }

    /// <summary>Fills the mailboxes while the actors wait, and ends when all is handled and the actors are idle.</summary>
    private static async Task Burst(ActorSystem system, PID[] pids, int messages)
    {
        var gate = new Gate();
        foreach (var pid in pids)
        {
            system.Root.Send(pid, gate);
            for (var i = 0; i < messages; i++) system.Root.Send(pid, "message");
        }

        gate.Open();
        foreach (var pid in pids) await Probe.Within(system.Root.RequestAsync<Touched>(pid, Touch.Instance, CancellationToken.None));
    }

    private sealed class Gate
    {
        private readonly TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Opened => _opened.Task;

        public void Open() => _opened.SetResult();
    }

    private sealed class Idle : IActor
    {
        public Task ReceiveAsync(IContext context) => context.Message is Gate gate ? gate.Opened : Task.CompletedTask;
    }
}
