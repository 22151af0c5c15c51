using System.Threading.Channels;
using Proto.Remote.Tests.Messages;

namespace Proto.Remote.Tests;

public sealed class RemoteWatchTests
{
    [Theory]
    [InlineData("localhost")]
    [InlineData("relay")]
    public async Task An_actor_watched_through_another_name_of_its_address_is_reported_under_that_name_once(string name)
    {
        await using var a = await TestNode.StartAsync();
        await using var b = await TestNode.StartAsync();
        await using var relay = new Relay(b.System.GetAddress().Port);
        var alias = name == "relay" ? relay.Address : $"localhost:{b.System.GetAddress().Port}";
        b.SpawnEcho();
        var watched = PID.FromAddress(alias, "echo");
        var watcher = a.SpawnInbox("watcher", out var watcherPid);
        watched.SendSystemMessage(a.System, new Watch(watcherPid));
        await a.Root.RequestAsync<Pong>(watched, new Ping(), TestNode.Soon());

        b.Root.Stop(b.Of("echo"));

        Assert.Equal((watched, TerminatedReason.Stopped), await TerminatedAsync(watcher));
        await b.KillAsync();
        await NothingMoreAsync(a, watcher, watcherPid);
    }

    [Fact]
    public async Task An_actor_watched_by_two_names_is_reported_once_under_each()
    {
        await using var a = await TestNode.StartAsync();
        await using var b = await TestNode.StartAsync();
        await using var relay = new Relay(b.System.GetAddress().Port);
        b.SpawnEcho();
        var watcher = a.SpawnInbox("watcher", out var watcherPid);
        PID[] names = [b.Of("echo"), PID.FromAddress(relay.Address, "echo")];
        foreach (var name in names)
        {
            name.SendSystemMessage(a.System, new Watch(watcherPid));
            await a.Root.RequestAsync<Pong>(name, new Ping(), TestNode.Soon());
        }

        b.Root.Stop(b.Of("echo"));

        PID[] told = [(await TerminatedAsync(watcher)).Who, (await TerminatedAsync(watcher)).Who];
        Assert.Equal(names.OrderBy(pid => pid.Address), told.OrderBy(pid => pid.Address));
    }

    [Fact]
    public async Task A_watch_outlives_a_broken_connection()
    {
        await using var a = await TestNode.StartAsync();
        await using var b = await TestNode.StartAsync();
        await using var relay = new Relay(b.System.GetAddress().Port);
        b.SpawnEcho();
        var watched = PID.FromAddress(relay.Address, "echo");
        var watcher = a.SpawnInbox("watcher", out var watcherPid);
        var states = a.Events<EndpointStateChanged>();
        watched.SendSystemMessage(a.System, new Watch(watcherPid));
        await a.Root.RequestAsync<Pong>(watched, new Ping(), TestNode.Soon());

        relay.Cut();
        foreach (var state in new[] { EndpointState.Connected, EndpointState.Connecting, EndpointState.Connected })
            Assert.Equal(state, (await states.ReadAsync(TestNode.Soon())).State);
        b.Root.Stop(b.Of("echo"));

        Assert.Equal((watched, TerminatedReason.Stopped), await TerminatedAsync(watcher));
    }

    [Fact]
    public async Task The_word_of_an_end_that_was_lost_with_its_connection_is_asked_for_again()
    {
        // What b sends to a passes the relay.
        using var reserved = new SilentPort();
        await using var toA = new Relay(reserved.Port);
        reserved.Dispose();
        await using var a = await TestNode.StartAsync(config => config.WithAdvertisedHost("127.0.0.1").WithAdvertisedPort(toA.Port), reserved.Port);
        await using var b = await TestNode.StartAsync();
        b.SpawnEcho();
        var watcher = a.SpawnInbox("watcher", out var watcherPid);
        b.Of("echo").SendSystemMessage(a.System, new Watch(watcherPid));
        await a.Root.RequestAsync<Pong>(b.Of("echo"), new Ping(), TestNode.Soon());

        toA.Swallow();
        await b.Root.StopAsync(b.Of("echo"));
        toA.Recover();

        var (who, why) = await TerminatedAsync(watcher);
        Assert.Equal(b.Of("echo"), who);
        // Whether b's word was in flight, or still waited and was sent again, is a matter of moments.
        Assert.Contains(why, new[] { TerminatedReason.NotFound, TerminatedReason.Stopped });
        await NothingMoreAsync(a, watcher, watcherPid);
    }

    [Fact]
    public async Task After_unwatch_no_end_is_told()
    {
        await using var a = await TestNode.StartAsync();
        await using var b = await TestNode.StartAsync();
        b.SpawnEcho("unwatched");
        b.SpawnEcho("watched");
        var watcher = a.SpawnInbox("watcher", out var watcherPid);
        b.Of("unwatched").SendSystemMessage(a.System, new Watch(watcherPid));
        b.Of("watched").SendSystemMessage(a.System, new Watch(watcherPid));
        await a.Root.RequestAsync<Pong>(b.Of("watched"), new Ping(), TestNode.Soon());

        // The end may be on its way while the watch ends here.
        b.Root.Stop(b.Of("unwatched"));
        b.Of("unwatched").SendSystemMessage(a.System, new Unwatch(watcherPid));
        if (watcher.TryRead(out var early)) Assert.Equal(b.Of("unwatched"), Assert.IsType<Terminated>(early).Who);
        await b.Root.StopAsync(b.Of("watched"));

        while (await TerminatedAsync(watcher) is var end && !end.Who.Equals(b.Of("watched"))) Assert.Equal(b.Of("unwatched"), end.Who);
        await b.KillAsync();
        await NothingMoreAsync(a, watcher, watcherPid);
    }

    [Fact]
    public async Task A_watch_of_an_actor_that_does_not_exist_is_answered()
    {
        await using var a = await TestNode.StartAsync();
        await using var b = await TestNode.StartAsync();
        var watcher = a.SpawnInbox("watcher", out var watcherPid);

        b.Of("nobody").SendSystemMessage(a.System, new Watch(watcherPid));

        Assert.Equal((b.Of("nobody"), TerminatedReason.NotFound), await TerminatedAsync(watcher));
    }

    [Fact]
    public async Task A_watch_through_an_open_circuit_is_answered_at_once()
    {
        using var port = new SilentPort();
        await using var a = await TestNode.StartAsync(config => config.WithEndpointWriterMaxRetries(1).WithEndpointWriterRetryBackOff(TimeSpan.FromHours(1)));
        var watcher = a.SpawnInbox("watcher", out var watcherPid);
        await Assert.ThrowsAsync<DeadLetterException>(() => a.Root.RequestAsync<Pong>(port.Of("x"), new Ping(), TestNode.Soon()));

        port.Of("x").SendSystemMessage(a.System, new Watch(watcherPid));

        Assert.Equal((port.Of("x"), TerminatedReason.AddressTerminated), await TerminatedAsync(watcher));
    }

    [Fact]
    public async Task A_client_that_only_watches_is_told_when_the_address_is_lost_and_not_before()
    {
        await using var member = await TestNode.StartAsync();
        await using var client = await TestNode.StartClientAsync();
        var watcher = client.SpawnInbox("watcher", out var watcherPid);
        var states = client.Events<EndpointStateChanged>();

        member.Of("x").SendSystemMessage(client.System, new Watch(watcherPid));

        Assert.Equal(EndpointState.Connected, (await states.ReadAsync(TestNode.Soon())).State);
        await NothingMoreAsync(client, watcher, watcherPid);
        await member.KillAsync();
        Assert.Equal((member.Of("x"), TerminatedReason.AddressTerminated), await TerminatedAsync(watcher));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_member_that_watches_a_clients_actor_learns_of_its_end(bool clientIsLost)
    {
        await using var member = await TestNode.StartAsync();
        member.SpawnEcho();
        var client = await TestNode.StartClientAsync();
        client.SpawnEcho("actor");
        await client.Root.RequestAsync<Pong>(member.Of("echo"), new Ping(), TestNode.Soon());
        var watched = member.Of($"$client/{client.System.Id}/actor");
        var watcher = member.SpawnInbox("watcher", out var watcherPid);
        watched.SendSystemMessage(member.System, new Watch(watcherPid));
        await member.Root.RequestAsync<Pong>(watched, new Ping(), TestNode.Soon());

        if (clientIsLost) await client.KillAsync();
        else await client.Root.StopAsync(PID.FromAddress(client.Address, "actor"));

        Assert.Equal((watched, clientIsLost ? TerminatedReason.AddressTerminated : TerminatedReason.Stopped), await TerminatedAsync(watcher));
        await client.DisposeAsync();
    }

    static async Task<(PID Who, TerminatedReason Why)> TerminatedAsync(ChannelReader<object> watcher)
    {
        var terminated = Assert.IsType<Terminated>(await watcher.ReadAsync(TestNode.Soon()));
        return (terminated.Who, terminated.Why);
    }

    /// <summary>The watcher has handled all that was told before: system messages go first.</summary>
    static async Task NothingMoreAsync(TestNode node, ChannelReader<object> watcher, PID watcherPid)
    {
        await node.Root.RequestAsync<Touched>(watcherPid, Touch.Instance, TestNode.Soon());
        Assert.False(watcher.TryRead(out var more), $"{more}");
    }
}
