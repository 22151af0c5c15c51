using Proto.Remote.Tests.Messages;

namespace Proto.Remote.Tests;

public sealed class ShutdownTests
{
    [Fact]
    public async Task A_remote_that_was_never_started_is_shut_down_at_once_and_twice()
    {
        var system = new ActorSystem().WithRemote(GrpcNet.GrpcNetRemoteConfig.BindToLocalhost());

        await system.Remote().ShutdownAsync();
        await system.Remote().ShutdownAsync(graceful: false);

        Assert.False(system.Remote().Started);
        await system.DisposeAsync();
    }

    [Fact]
    public async Task Concurrent_shutdowns_all_complete()
    {
        await using var a = await TestNode.StartAsync();
        await using var b = await TestNode.StartAsync();
        b.SpawnEcho();
        await a.Root.RequestAsync<Pong>(b.Of("echo"), new Ping(), TestNode.Soon());

        var shutdowns = Enumerable.Range(0, 8).Select(i => a.System.Remote().ShutdownAsync(graceful: i % 2 == 0)).ToList();

        await Task.WhenAll(shutdowns).WaitAsync(TestNode.Soon());
        Assert.False(a.System.Remote().Started);
    }

    [Fact]
    public async Task Shutdown_sends_what_is_queued_first()
    {
        const int Count = 5_000;
        await using var a = await TestNode.StartAsync();
        await using var b = await TestNode.StartAsync();
        var inbox = b.SpawnInbox("inbox", out _);
        a.Root.Send(b.Of("inbox"), new Ping { Number = 0 });
        await inbox.ReadAsync(TestNode.Soon());

        for (var i = 1; i <= Count; i++) a.Root.Send(b.Of("inbox"), new Ping { Number = i });
        await a.System.Remote().ShutdownAsync();

        for (var i = 1; i <= Count; i++) Assert.Equal(i, Assert.IsType<Ping>(await inbox.ReadAsync(TestNode.Soon())).Number);
    }

    [Fact]
    public async Task A_reply_that_a_leaving_peer_has_made_arrives_before_its_leave_counts()
    {
        await using var a = await TestNode.StartAsync();
        var b = await TestNode.StartAsync();
        b.SpawnEcho();
        await a.Root.RequestAsync<Pong>(b.Of("echo"), new Ping(), TestNode.Soon());
        PID? asker = null;
        var asked = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var slow = b.Root.SpawnNamed(
            Props.FromFunc(context =>
            {
                if (context.Message is Ping)
                {
                    asker = context.Sender;
                    asked.SetResult();
                }

                return Task.CompletedTask;
            }),
            "slow");
        var request = a.Root.RequestAsync<Pong>(slow, new Ping(), CancellationToken.None);
        await asked.Task.WaitAsync(TestNode.Soon());

        // The reply is queued behind so much that the peer says that it leaves long before that has left.
        var inbox = a.SpawnInbox("inbox", out var bulk);
        for (var i = 0; i < 5_000; i++) b.Root.Send(bulk, new Ping { Number = i });
        b.Root.Send(asker!, new Pong { Number = 8 });
        await b.DisposeAsync();

        Assert.Equal(8, (await request.WaitAsync(TestNode.Soon())).Number);
        Assert.True(inbox.TryRead(out _));
    }

    [Fact]
    public async Task Shutting_down_the_actor_system_ends_its_remote_after_its_actors()
    {
        await using var a = await TestNode.StartAsync();
        var b = await TestNode.StartAsync();
        b.SpawnEcho();
        var watcher = a.SpawnInbox("watcher", out var watcherPid);
        b.Of("echo").SendSystemMessage(a.System, new Watch(watcherPid));
        await a.Root.RequestAsync<Pong>(b.Of("echo"), new Ping(), TestNode.Soon());

        await b.System.ShutdownAsync("test");

        Assert.False(b.System.Remote().Started);
        Assert.Equal(TerminatedReason.Stopped, Assert.IsType<Terminated>(await watcher.ReadAsync(TestNode.Soon())).Why);
    }
}
