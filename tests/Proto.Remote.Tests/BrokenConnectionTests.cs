using Proto.Remote.Tests.Messages;

namespace Proto.Remote.Tests;

/// <summary>The peer lives, its connection breaks.</summary>
public sealed class BrokenConnectionTests
{
    [Fact]
    public async Task Cut_connections_repeat_nothing_reorder_nothing_and_report_no_lost_peer()
    {
        await using var a = await TestNode.StartAsync();
        await using var b = await TestNode.StartAsync();
        await using var relay = new Relay(b.System.GetAddress().Port);
        var inbox = b.SpawnInbox("inbox", out _);
        b.SpawnEcho();
        var target = PID.FromAddress(relay.Address, "inbox");
        var lost = a.Events<EndpointTerminatedEvent>();
        long received = -1;
        var count = 0;

        long next = 0;
        for (var cut = 0; cut < 5; cut++)
        {
            var round = next;
            // All that was sent at once may be lost with the old connection: go on until something of this round has come over the new one.
            while (received < round)
            {
                for (var i = 0; i < 1_000; i++) a.Root.Send(target, new Ping { Number = next++ });
                while (inbox.TryRead(out var message)) Take(message);
                await Task.Yield();
            }

            relay.Cut();
        }

        Assert.True(count > 5);
        Assert.False(lost.TryRead(out _));

        void Take(object message)
        {
            var number = Assert.IsType<Ping>(message).Number;
            Assert.True(number > received, $"{number} after {received}");
            received = number;
            count++;
        }
    }

    [Fact]
    public async Task A_half_open_connection_is_found_by_pings()
    {
        await using var a = await TestNode.StartAsync(config => config with
        {
            EndpointWriterOptions = config.EndpointWriterOptions with
            {
                KeepAlivePingDelay = TimeSpan.FromSeconds(1),
                KeepAlivePingTimeout = TimeSpan.FromSeconds(1),
                ConnectTimeout = TimeSpan.FromSeconds(1),
            },
        });
        await using var b = await TestNode.StartAsync();
        await using var relay = new Relay(b.System.GetAddress().Port);
        var lost = a.Events<EndpointTerminatedEvent>();
        var inbox = b.SpawnInbox("inbox", out _);
        a.Root.Send(PID.FromAddress(relay.Address, "inbox"), new Ping());
        await inbox.ReadAsync(TestNode.Soon());

        relay.Swallow();

        Assert.Equal(new EndpointTerminatedEvent(false, relay.Address, b.System.Id), await lost.ReadAsync(TestNode.Soon()));
    }
}
