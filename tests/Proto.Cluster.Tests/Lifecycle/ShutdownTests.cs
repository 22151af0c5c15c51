using Proto.Cluster.Gossip;

namespace Proto.Cluster.Tests.Lifecycle;

/// <summary>A shutdown always completes, whatever its parts do (defect 11).</summary>
public sealed class ShutdownTests
{
    static readonly TimeSpan Step = TimeSpan.FromMilliseconds(100);

    [Fact]
    public async Task Defect_11_shutdown_completes_although_the_gossip_actor_hangs()
    {
        await using var fixture = new ClusterFixture();
        var never = new TaskCompletionSource();
        var hanging = false;
        var provider = new ScriptedProvider();
        var member = await fixture.StartMemberAsync(
            Impatient, provider: provider, configureSystem: system => system.WithActorRequestTimeout(Step).WithConfigureSystemProps((name, props) =>
                name == Gossiper.GossipActorName
                    ? props.WithReceiverMiddleware(next => (context, envelope) => Volatile.Read(ref hanging) ? never.Task : next(context, envelope))
                    : props));
        Volatile.Write(ref hanging, true);

        await member.ShutdownAsync().WaitAsync(ClusterFixture.Soon());

        Assert.True(member.ShutdownCompleted.IsCompletedSuccessfully);
        Assert.Equal(1, provider.Stops);
        Assert.False(member.Remote.Started);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Defect_11_shutdown_completes_although_provider_and_lookup_hang_or_throw(bool hang)
    {
        await using var fixture = new ClusterFixture();
        var never = new TaskCompletionSource();
        Func<Task> fail = () => hang ? never.Task : throw new InvalidDataException("a user's mistake");
        var (provider, lookup) = (new ScriptedProvider { OnShutdown = fail }, new ScriptedLookup { OnShutdown = fail });
        var member = await fixture.StartMemberAsync(Impatient, lookup, provider);

        await member.ShutdownAsync().WaitAsync(ClusterFixture.Soon());

        Assert.Equal((1, 1), (provider.Stops, lookup.Stops));
        Assert.False(member.Remote.Started);
        Assert.True(member.System.Shutdown.IsCancellationRequested);
    }

    [Fact]
    public async Task Defect_11_shutdown_completes_although_user_hooks_hang_or_throw()
    {
        await using var fixture = new ClusterFixture();
        var called = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var never = new TaskCompletionSource();
        var member = await fixture.StartMemberAsync(config => Impatient(config)
            .WithGossipInterval(TimeSpan.FromMilliseconds(10))
            .WithHeartbeatExpiration(TimeSpan.FromMilliseconds(100))
            .WithHeartbeatExpirationHandler(_ =>
            {
                called.TrySetResult();
                return never.Task;
            }));
        member.System.EventStream.Subscribe<ClusterTopology>(_ => throw new InvalidDataException("a user's mistake"));
        member.System.Shutdown.Register(() => throw new InvalidDataException("a user's mistake"));
        await called.Task.WaitAsync(ClusterFixture.Soon());

        await member.ShutdownAsync().WaitAsync(ClusterFixture.Soon());

        Assert.True(member.ShutdownCompleted.IsCompletedSuccessfully);
    }

    [Fact]
    public async Task Shutting_the_actor_system_down_leaves_the_cluster_first()
    {
        await using var fixture = new ClusterFixture();
        var tokenWhenLeaving = true;
        Cluster? left = null;
        var provider = new ScriptedProvider
        {
            OnShutdown = () =>
            {
                tokenWhenLeaving = left!.System.Shutdown.IsCancellationRequested;
                return Task.CompletedTask;
            },
        };
        var member = left = await fixture.StartMemberAsync(provider: provider);

        await member.System.ShutdownAsync("maintenance").WaitAsync(ClusterFixture.Soon());
        await member.ShutdownCompleted.WaitAsync(ClusterFixture.Soon());

        Assert.Equal(1, provider.Stops);
        Assert.False(tokenWhenLeaving); // its actors still worked
        Assert.True(member.System.Shutdown.IsCancellationRequested);
        Assert.False(member.Remote.Started);
    }

    [Fact]
    public async Task Every_caller_waits_for_the_one_shutdown()
    {
        await using var fixture = new ClusterFixture();
        var release = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var provider = new ScriptedProvider { OnShutdown = () => release.Task };
        var member = await fixture.StartMemberAsync(provider: provider);

        var first = member.ShutdownAsync(reason: "first");
        var second = member.ShutdownAsync(reason: "second");
        Assert.False(second.IsCompleted);
        Assert.False(member.ShutdownCompleted.IsCompleted);
        release.SetResult();

        await Task.WhenAll(first, second, member.ShutdownCompleted).WaitAsync(ClusterFixture.Soon());
        Assert.Equal(1, provider.Stops);
        Assert.Equal("first", member.System.StoppedReason);
    }

    [Fact]
    public async Task A_cluster_that_was_never_started_shuts_down_too()
    {
        await using var fixture = new ClusterFixture();
        var provider = new ScriptedProvider();
        var member = fixture.CreateMember(provider: provider);

        await member.ShutdownAsync().WaitAsync(ClusterFixture.Soon());

        Assert.Equal(0, provider.Stops);
        Assert.True(member.JoinedCluster.IsCanceled);
        Assert.True(member.System.Shutdown.IsCancellationRequested);
    }

    [Fact]
    public async Task With_ExitOnShutdown_the_process_exits_after_the_last_step()
    {
        await using var fixture = new ClusterFixture();
        var exited = new TaskCompletionSource<(int Code, bool AfterShutdown)>(TaskCreationOptions.RunContinuationsAsynchronously);
        var member = await fixture.StartMemberAsync(config => ClusterFixture.WithCounter(config).WithExitOnShutdown());
        member.ExitProcess = code => exited.SetResult((code, member.ShutdownCompleted.IsCompletedSuccessfully));

        await member.ShutdownAsync();

        Assert.Equal((0, true), await exited.Task.WaitAsync(ClusterFixture.Soon()));
    }

    static ClusterConfig Impatient(ClusterConfig config) => ClusterFixture.WithCounter(config) with { ShutdownStepTimeout = Step };
}
