using Proto.Mailbox;

namespace Proto.Actor.Tests;

public sealed class MailboxTests
{
    [Fact]
    public async Task Statistics_see_messages_come_and_go()
    {
        await using var system = TestSystem.Create();
        var seen = new Statistics();
        var pid = system.Root.Spawn(Props.FromFunc(_ => Task.CompletedTask).WithMailbox(() => UnboundedMailbox.Create(seen)));

        system.Root.Send(pid, "hello");
        await Probe.Within(system.Root.PoisonAsync(pid));

        // "empty" comes whenever a turn finds nothing more; how often depends on how the messages meet the turns.
        var entries = new List<string>();
        var wasEmpty = false;
        while (entries.Count < 7 || !wasEmpty)
        {
            var entry = await seen.Entries.Next<string>();
            if (entry == "empty") wasEmpty = true;
            else entries.Add(entry);
        }

        Assert.Equal(["posted Started", "started", "posted String", "posted Watch", "posted PoisonPill"], entries.Where(entry => !entry.StartsWith("received", StringComparison.Ordinal)).Take(5));
        Assert.Equal(["received Started", "received String"], entries.Where(entry => entry is "received Started" or "received String"));
    }

    [Fact]
    public async Task A_queue_of_ones_own_decides_the_order()
    {
        await using var system = TestSystem.Create();
        var probe = new Probe();
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var entered = new TaskCompletionSource();
        var pid = system.Root.Spawn(Props
            .FromFunc(async context =>
            {
                if (context.Message is not int number) return;
                if (number == 0)
                {
                    entered.SetResult();
                    await gate.Task;
                }

                probe.Add(number);
            })
            .WithMailbox(() => CustomMailbox.Create(new HighestFirst())));
        system.Root.Send(pid, 0);
        await Probe.Within(entered.Task);

        foreach (var number in (int[])[2, 9, 5]) system.Root.Send(pid, number);
        gate.SetResult();

        Assert.Equal([0, 9, 5, 2], (await probe.Take(4)).Cast<int>());
    }

    private sealed class Statistics : IMailboxStatistics
    {
        public Probe Entries { get; } = new();

        public void MailboxStarted() => Entries.Add("started");

        public void MessagePosted(object message) => Entries.Add($"posted {message.GetType().Name}");

        public void MessageReceived(object message) => Entries.Add($"received {message.GetType().Name}");

        public void MailboxEmpty() => Entries.Add("empty");
    }

    private sealed class HighestFirst : IMailboxQueue
    {
        private readonly Lock _gate = new();
        private readonly PriorityQueue<object, int> _queue = new();

        public bool HasMessages => Length > 0;

        public int Length
        {
            get
            {
                lock (_gate) return _queue.Count;
            }
        }

        public void Push(object message)
        {
            lock (_gate) _queue.Enqueue(message, -(message as int? ?? 0));
        }

        public object? Pop()
        {
            lock (_gate) return _queue.TryDequeue(out var message, out _) ? message : null;
        }
    }
}
