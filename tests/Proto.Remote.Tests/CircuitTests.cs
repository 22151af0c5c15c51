using System.Threading.Channels;
using Proto.Remote.Endpoints;
using Proto.Remote.Tests.Messages;

namespace Proto.Remote.Tests;

/// <summary>The way to a peer that cannot be reached.</summary>
public sealed class CircuitTests
{
    static readonly TimeSpan Never = TimeSpan.FromHours(1);

    [Fact]
    public async Task After_failed_attempts_the_circuit_opens_and_messages_fail_at_once()
    {
        using var port = new SilentPort();
        await using var a = await TestNode.StartAsync(config => config.WithEndpointWriterMaxRetries(1).WithEndpointWriterRetryBackOff(Never));
        var states = a.Events<EndpointStateChanged>();
        await Assert.ThrowsAsync<DeadLetterException>(() => a.Root.RequestAsync<Pong>(port.Of("x"), new Ping(), TestNode.Soon()));

        var refused = a.Root.RequestAsync<Pong>(port.Of("x"), new Ping(), TestNode.Soon());

        // Before the call returned: nothing was queued, and no attempt was waited for.
        Assert.IsType<DeadLetterException>(refused.Exception?.InnerException);
        var opened = await states.ReadAsync(TestNode.Soon());
        Assert.Equal((EndpointState.Unreachable, port.Of("x").Address), (opened.State, opened.Address));
        Assert.False(states.TryRead(out var another), $"{another}");
    }

    [Fact]
    public async Task A_peer_that_returns_and_connects_is_called_back_at_once()
    {
        using var reserved = new SilentPort();
        // By its own attempts it would be reached in an hour.
        await using var a = await TestNode.StartAsync(config => config.WithEndpointWriterMaxRetries(1).WithEndpointWriterRetryBackOff(Never));
        var states = a.Events<EndpointStateChanged>();
        await Assert.ThrowsAsync<DeadLetterException>(() => a.Root.RequestAsync<Pong>(reserved.Of("echo"), new Ping(), TestNode.Soon()));
        Assert.Equal(EndpointState.Unreachable, (await states.ReadAsync(TestNode.Soon())).State);
        reserved.Dispose();

        await using var b = await TestNode.StartAsync(port: reserved.Port);
        b.SpawnEcho();
        b.Root.Send(a.Of("nobody"), new Ping());

        Assert.Equal((EndpointState.Connected, b.System.Id), (await states.ReadAsync(TestNode.Soon())) is var closed ? (closed.State, closed.ActorSystemId) : default);
        Assert.Equal(2, (await a.Root.RequestAsync<Pong>(b.Of("echo"), new Ping { Number = 2 }, TestNode.Soon())).Number);
    }

    [Fact]
    public async Task A_refused_message_asks_for_another_attempt_in_the_background()
    {
        using var reserved = new SilentPort();
        await using var a = await TestNode.StartAsync(config => config.WithEndpointWriterMaxRetries(1).WithEndpointWriterRetryBackOff(TimeSpan.FromMilliseconds(1)));
        var states = a.Events<EndpointStateChanged>();
        await Assert.ThrowsAsync<DeadLetterException>(() => a.Root.RequestAsync<Pong>(reserved.Of("echo"), new Ping(), TestNode.Soon()));
        Assert.Equal(EndpointState.Unreachable, (await states.ReadAsync(TestNode.Soon())).State);
        reserved.Dispose();
        await using var b = await TestNode.StartAsync(port: reserved.Port);

        // Two, because an attempt that is under way already takes the first one's word for its own.
        a.Root.Send(b.Of("x"), new Ping());
        a.Root.Send(b.Of("x"), new Ping());

        Assert.Equal(EndpointState.Connected, (await states.ReadAsync(TestNode.Soon())).State);
    }

    [Fact]
    public async Task Every_change_of_state_is_reported_once_until_the_peer_is_unreachable()
    {
        await using var a = await TestNode.StartAsync();
        var b = await TestNode.StartAsync();
        b.SpawnEcho();
        var states = a.Events<EndpointStateChanged>();
        await a.Root.RequestAsync<Pong>(b.Of("echo"), new Ping(), TestNode.Soon());

        await b.KillAsync();

        // While its listener ends, the peer may answer once more.
        var seen = new List<EndpointState>();
        while (seen.Count == 0 || seen[^1] != EndpointState.Unreachable) seen.Add(await NextAsync(states));
        Assert.Equal([EndpointState.Connected, EndpointState.Connecting], seen[..2]);
        Assert.All(seen.Zip(seen.Skip(1)), change => Assert.NotEqual(change.First, change.Second));
        await b.DisposeAsync();
    }

    [Fact]
    public async Task What_is_sent_to_a_down_peer_after_a_long_silence_waits_for_a_new_attempt()
    {
        using var reserved = new SilentPort();
        await using var a = await TestNode.StartAsync(config => config.WithEndpointWriterMaxRetries(1) with { WaitAfterEndpointTerminationTimeSpan = TimeSpan.FromMilliseconds(20) });
        await Assert.ThrowsAsync<DeadLetterException>(() => a.Root.RequestAsync<Pong>(reserved.Of("echo"), new Ping(), TestNode.Soon()));
        reserved.Dispose();
        await using var b = await TestNode.StartAsync(port: reserved.Port, prepare: node => node.SpawnEcho());

        // Until the endpoint is forgotten, requests ask for attempts and fail at once; either way one is answered.
        while (true)
        {
            try
            {
                Assert.Equal(4, (await a.Root.RequestAsync<Pong>(b.Of("echo"), new Ping { Number = 4 }, TestNode.Soon())).Number);
                return;
            }
            catch (DeadLetterException)
            {
                await Task.Yield();
            }
        }
    }

    [Fact]
    public void The_pause_between_attempts_doubles_up_to_its_limit_less_a_random_half_at_most()
    {
        var clock = new SettableClock();
        var options = new EndpointWriterOptions { RetryBackOff = TimeSpan.FromMilliseconds(100), MaxRetryBackOff = TimeSpan.FromSeconds(1) };
        var backoff = new ReconnectBackoff(options, clock, ThreadPoolRuntime.Instance);
        Assert.Equal(TimeSpan.Zero, backoff.Remaining);

        foreach (var expected in new[] { 100, 200, 400, 800, 1000, 1000 })
        {
            backoff.Failed();
            Assert.InRange(backoff.Remaining.TotalMilliseconds, expected / 2.0, expected);
        }

        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(TimeSpan.Zero, backoff.Remaining);
        backoff.Failed();
        backoff.Reset();
        Assert.Equal(TimeSpan.Zero, backoff.Remaining);
    }

    static async Task<EndpointState> NextAsync(ChannelReader<EndpointStateChanged> states) => (await states.ReadAsync(TestNode.Soon())).State;
}
