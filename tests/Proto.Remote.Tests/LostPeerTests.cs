using Proto.Remote.Tests.Messages;

namespace Proto.Remote.Tests;

public sealed class LostPeerTests
{
    [Fact]
    public async Task Watchers_and_the_event_stream_learn_that_a_peer_is_lost()
    {
        await using var a = await TestNode.StartAsync();
        await using var b = await TestNode.StartAsync();
        b.SpawnEcho();
        var lost = a.Events<EndpointTerminatedEvent>();
        var watcher = a.SpawnInbox("watcher", out var watcherPid);
        b.Of("echo").SendSystemMessage(a.System, new Watch(watcherPid));
        await a.Root.RequestAsync<Pong>(b.Of("echo"), new Ping(), TestNode.Soon());

        await b.KillAsync();

        Assert.Equal(new EndpointTerminatedEvent(false, b.Address, b.System.Id), await lost.ReadAsync(TestNode.Soon()));
        var terminated = Assert.IsType<Terminated>(await watcher.ReadAsync(TestNode.Soon()));
        Assert.Equal(TerminatedReason.AddressTerminated, terminated.Why);
        Assert.Equal(b.Of("echo"), terminated.Who);
    }

    [Fact]
    public async Task A_peer_that_only_listened_notices_the_loss_of_who_sent_to_it()
    {
        await using var a = await TestNode.StartAsync();
        await using var b = await TestNode.StartAsync();
        var inbox = b.SpawnInbox("inbox", out _);
        var lost = b.Events<EndpointTerminatedEvent>();
        a.Root.Send(b.Of("inbox"), new Ping());
        await inbox.ReadAsync(TestNode.Soon());

        await a.KillAsync();

        Assert.Equal(a.Address, (await lost.ReadAsync(TestNode.Soon())).Address);
    }

    [Fact]
    public async Task A_peer_restarted_on_its_port_is_reachable_again_and_its_old_incarnation_is_reported_lost()
    {
        // If that time blocked the address, the test would not end.
        await using var a = await TestNode.StartAsync(config => config with { WaitAfterEndpointTerminationTimeSpan = TimeSpan.FromHours(1) });
        var lost = a.Events<EndpointTerminatedEvent>();
        var b = await TestNode.StartAsync();
        var (address, firstId) = (b.Address, b.System.Id);
        b.SpawnEcho();
        await a.Root.RequestAsync<Pong>(b.Of("echo"), new Ping(), TestNode.Soon());
        var port = b.System.GetAddress().Port;

        await b.KillAsync();
        Assert.Equal(new EndpointTerminatedEvent(false, address, firstId), await lost.ReadAsync(TestNode.Soon()));
        await Assert.ThrowsAsync<DeadLetterException>(
            () => a.Root.RequestAsync<Pong>(PID.FromAddress(address, "echo"), new Ping(), TestNode.Soon()));

        await using var again = await TestNode.StartAsync(port: port);
        again.SpawnEcho();
        var pong = await RequestUntilAnswered(a, again.Of("echo"));
        Assert.Equal(1, pong.Number);
    }

    [Fact]
    public async Task What_is_queued_before_the_first_connection_is_sent_when_the_peer_appears()
    {
        using var reserved = new SilentPort();
        await using var a = await TestNode.StartAsync(config => config
            .WithEndpointWriterMaxRetries(100_000)
            .WithEndpointWriterRetryBackOff(TimeSpan.FromMilliseconds(20)));
        var address = reserved.Of("echo").Address;

        var waiting = a.Root.RequestAsync<Pong>(reserved.Of("echo"), new Ping { Number = 9 }, TestNode.Soon());
        Assert.False(waiting.IsCompleted);
        reserved.Dispose();
        await using var b = await TestNode.StartAsync(port: reserved.Port, prepare: node => node.SpawnEcho());

        Assert.Equal(address, b.Address);
        Assert.Equal(9, (await waiting).Number);
    }

    [Fact]
    public async Task A_peer_that_leaves_says_so()
    {
        await using var a = await TestNode.StartAsync();
        var b = await TestNode.StartAsync();
        b.SpawnEcho();
        var lost = a.Events<EndpointTerminatedEvent>();
        await a.Root.RequestAsync<Pong>(b.Of("echo"), new Ping(), TestNode.Soon());

        await b.DisposeAsync();

        Assert.Equal(new EndpointTerminatedEvent(false, b.Address, b.System.Id), await lost.ReadAsync(TestNode.Soon()));
    }

    [Fact]
    public async Task A_full_queue_makes_dead_letters_of_the_rest_and_answers_requesters()
    {
        const int Limit = 100;
        // Nobody listens there, and the attempts go on for longer than the test: the queue stays.
        await using var a = await TestNode.StartAsync(config => config
            .WithMaxQueuedMessages(Limit)
            .WithEndpointWriterMaxRetries(int.MaxValue)
            .WithEndpointWriterRetryBackOff(TimeSpan.FromSeconds(30)));
        using var port = new SilentPort();
        var target = port.Of("nobody");
        var deadLetters = a.Events<DeadLetterEvent>();

        // As many again may be in the writer's hands, or not yet: which of the last ones are rejected is open.
        var asked = Enumerable.Range(0, 3 * Limit)
            .Select(i => a.Root.RequestAsync<Pong>(target, new Ping { Number = i }, TestNode.Soon()))
            .ToList();

        await Assert.ThrowsAsync<DeadLetterException>(async () => await await Task.WhenAny(asked));
        var first = await deadLetters.ReadAsync(TestNode.Soon());
        Assert.InRange(Assert.IsType<Ping>(first.Message).Number, Limit, 2 * Limit);
    }

    [Fact]
    public async Task A_watch_of_an_unreachable_actor_is_answered_once()
    {
        await using var a = await TestNode.StartAsync();
        using var port = new SilentPort();
        var target = port.Of("nobody");
        var watcher = a.SpawnInbox("watcher", out var watcherPid);

        target.SendSystemMessage(a.System, new Watch(watcherPid));
        Assert.Equal(TerminatedReason.AddressTerminated, Assert.IsType<Terminated>(await watcher.ReadAsync(TestNode.Soon())).Why);

        // After the next failed attempt, everything that the first one told has been delivered.
        await Assert.ThrowsAsync<DeadLetterException>(() => a.Root.RequestAsync<Pong>(target, new Ping(), TestNode.Soon()));
        await a.Root.RequestAsync<Touched>(watcherPid, Touch.Instance, TestNode.Soon());
        Assert.False(watcher.TryRead(out var second), $"{second}");
    }

    static async Task<Pong> RequestUntilAnswered(TestNode from, PID target)
    {
        while (true)
        {
            try
            {
                return await from.Root.RequestAsync<Pong>(target, new Ping { Number = 1 }, TestNode.Soon());
            }
            catch (DeadLetterException)
            {
                // Not there yet.
            }
        }
    }
}
