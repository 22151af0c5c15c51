using System.Threading.Channels;
using Proto.Mailbox;

namespace Proto.Actor.Tests;

public sealed class BoundedMailboxTests
{
    [Theory]
    [InlineData(BoundedChannelFullMode.Wait, new[] { 0, 1, 2 }, new[] { 3, 4 })]
    [InlineData(BoundedChannelFullMode.DropWrite, new[] { 0, 1, 2 }, new[] { 3, 4 })]
    [InlineData(BoundedChannelFullMode.DropOldest, new[] { 0, 3, 4 }, new[] { 1, 2 })]
    [InlineData(BoundedChannelFullMode.DropNewest, new[] { 0, 1, 4 }, new[] { 2, 3 })]
    public async Task Every_message_is_either_handled_or_a_dead_letter_with_its_reason(BoundedChannelFullMode mode, int[] handled, int[] dropped)
    {
        await using var system = TestSystem.Create();
        var deadLetters = new Probe();
        system.EventStream.Subscribe<DeadLetterEvent>(deadLetters.Add);
        var actor = new Gated();
        var pid = system.Root.Spawn(Props.FromProducer(() => actor).WithMailbox(() => BoundedMailbox.Create(2, mode)));
        system.Root.Send(pid, 0);
        await Probe.Within(actor.Entered); // out of the queue now

        for (var i = 1; i <= 4; i++) system.Root.Send(pid, i);
        actor.Open();

        Assert.Equal(handled, (await actor.Handled.Take(handled.Length)).Cast<int>());
        var letters = (await deadLetters.Take(dropped.Length)).Cast<DeadLetterEvent>().ToList();
        Assert.Equal(dropped, letters.Select(letter => (int)letter.Message));
        Assert.All(letters, letter => Assert.Equal((pid, "its mailbox is full"), (letter.Pid, letter.Reason)));
        await Probe.Within(system.Root.PoisonAsync(pid));
        Assert.Empty(actor.Handled.Drain());
    }

    [Theory]
    [InlineData(BoundedChannelFullMode.Wait)]
    [InlineData(BoundedChannelFullMode.DropOldest)]
    [InlineData(BoundedChannelFullMode.DropNewest)]
    public async Task A_poison_pill_always_fits_and_is_never_displaced(BoundedChannelFullMode mode)
    {
        await using var system = TestSystem.Create();
        var actor = new Gated();
        var pid = system.Root.Spawn(Props.FromProducer(() => actor).WithMailbox(() => BoundedMailbox.Create(1, mode)));
        system.Root.Send(pid, 0);
        await Probe.Within(actor.Entered);

        system.Root.Send(pid, 1);
        var poisoned = system.Root.PoisonAsync(pid);
        for (var i = 2; i < 5; i++) system.Root.Send(pid, i);
        actor.Open();

        await Probe.Within(poisoned);
    }

    [Fact]
    public async Task A_requester_learns_at_once_that_the_mailbox_is_full()
    {
        await using var system = TestSystem.Create();
        var actor = new Gated();
        var pid = system.Root.Spawn(Props.FromProducer(() => actor).WithMailbox(() => BoundedMailbox.Create(1)));
        system.Root.Send(pid, 0);
        await Probe.Within(actor.Entered);
        system.Root.Send(pid, 1);

        var reason = await Assert.ThrowsAsync<DeadLetterException>(() => Probe.Within(system.Root.RequestAsync<int>(pid, 2, CancellationToken.None)));

        Assert.Equal(pid, reason.Pid);
        Assert.Contains("its mailbox is full", reason.Message, StringComparison.Ordinal);
        actor.Open();
    }

    [Fact]
    public async Task System_messages_need_no_room()
    {
        await using var system = TestSystem.Create();
        var actor = new Gated();
        var pid = system.Root.Spawn(Props.FromProducer(() => actor).WithMailbox(() => BoundedMailbox.Create(1)));
        system.Root.Send(pid, 0);
        await Probe.Within(actor.Entered);
        system.Root.Send(pid, 1);

        var stopped = system.Root.StopAsync(pid);
        actor.Open();

        await Probe.Within(stopped);
        Assert.Equal([0], actor.Handled.Drain().Cast<int>());
    }

    [Fact]
    public async Task Many_senders_lose_nothing_that_is_not_reported()
    {
        await using var system = TestSystem.Create();
        var dropped = 0;
        var handled = 0;
        system.EventStream.Subscribe<DeadLetterEvent>(_ => Interlocked.Increment(ref dropped));
        var pid = system.Root.Spawn(Props
            .FromFunc(context =>
            {
                if (context.Message is int) handled++;
                return Task.CompletedTask;
            })
            .WithMailbox(() => BoundedMailbox.Create(16, BoundedChannelFullMode.DropOldest)));

        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
        {
            for (var i = 0; i < 5000; i++) system.Root.Send(pid, i);
        })));
        await Probe.Within(system.Root.PoisonAsync(pid));

        Assert.Equal(20_000, handled + dropped);
    }

    [Fact]
    public void A_mailbox_for_no_messages_is_refused() => Assert.Throws<ArgumentOutOfRangeException>(() => BoundedMailbox.Create(0));

    /// <summary>Waits in its first message until it is opened.</summary>
    private sealed class Gated : IActor
    {
        private readonly TaskCompletionSource _entered = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _gate = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Probe Handled { get; } = new();

        public Task Entered => _entered.Task;

        public void Open() => _gate.SetResult();

        public async Task ReceiveAsync(IContext context)
        {
            if (context.Message is not int number) return;

            _entered.TrySetResult();
            await _gate.Task;
            Handled.Add(number);
        }
    }
}
