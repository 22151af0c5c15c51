namespace Proto.Cluster.Tests.Lifecycle;

public sealed class StartTests
{
    [Fact]
    public async Task A_provider_that_fails_fails_the_start_and_everything_that_was_started_is_stopped()
    {
        await using var fixture = new ClusterFixture();
        var provider = new ScriptedProvider { OnStart = _ => throw new InvalidDataException("the database is gone") };
        var lookup = new ScriptedLookup();
        var member = fixture.CreateMember(lookup: lookup, provider: provider);

        var failure = await Assert.ThrowsAsync<InvalidDataException>(() => member.StartMemberAsync().WaitAsync(ClusterFixture.Soon()));

        Assert.Equal("the database is gone", failure.Message);
        Assert.Equal((1, 1), (provider.Stops, lookup.Stops));
        Assert.False(member.Remote.Started);
        Assert.Contains("the database is gone", member.System.StoppedReason, StringComparison.Ordinal);
        Assert.True(member.JoinedCluster.IsCanceled);
        Assert.True(member.ShutdownCompleted.IsCompletedSuccessfully);
    }

    [Fact]
    public async Task A_lookup_that_fails_stops_what_was_started_and_no_provider_that_was_not()
    {
        await using var fixture = new ClusterFixture();
        var provider = new ScriptedProvider();
        var lookup = new ScriptedLookup { OnSetup = () => throw new InvalidDataException("no storage") };
        var member = fixture.CreateMember(lookup: lookup, provider: provider);

        await Assert.ThrowsAsync<InvalidDataException>(() => member.StartMemberAsync().WaitAsync(ClusterFixture.Soon()));

        Assert.Equal((0, 0, 1), (provider.Starts, provider.Stops, lookup.Stops));
    }

    [Fact]
    public async Task A_cluster_is_started_once_and_never_after_its_shutdown()
    {
        await using var fixture = new ClusterFixture();
        var member = await fixture.StartMemberAsync();

        var twice = await Assert.ThrowsAsync<InvalidOperationException>(() => member.StartMemberAsync());
        Assert.Contains("once", twice.Message, StringComparison.Ordinal);
        Assert.True(member.JoinedCluster.IsCompletedSuccessfully);

        await member.ShutdownAsync();
        var after = await Assert.ThrowsAsync<InvalidOperationException>(() => member.StartMemberAsync());
        Assert.Contains("shut down", after.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_start_that_hangs_in_the_provider_ends_with_the_shutdown()
    {
        await using var fixture = new ClusterFixture();
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var never = new TaskCompletionSource();
        var provider = new ScriptedProvider
        {
            OnStart = _ =>
            {
                started.SetResult();
                return never.Task;
            },
        };
        var member = fixture.CreateMember(provider: provider);
        var starting = member.StartMemberAsync();
        await started.Task.WaitAsync(ClusterFixture.Soon());

        await member.ShutdownAsync().WaitAsync(ClusterFixture.Soon());

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => starting);
        Assert.True(member.JoinedCluster.IsCanceled);
        Assert.Equal(1, provider.Stops);
    }

    [Fact]
    public async Task A_member_has_joined_when_the_topology_has_it_and_not_before()
    {
        await using var fixture = new ClusterFixture();
        Cluster? starting = null;
        var given = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var provider = new ScriptedProvider
        {
            OnStart = cluster =>
            {
                cluster.MemberList.UpdateClusterTopology([new Member { Id = "other", Host = "127.0.0.1", Port = 1 }]);
                starting = cluster;
                given.SetResult();
                return Task.CompletedTask;
            },
        };
        var member = fixture.CreateMember(provider: provider);
        var start = member.StartMemberAsync();
        await given.Task.WaitAsync(ClusterFixture.Soon());
        Assert.False(member.JoinedCluster.IsCompleted);
        Assert.False(start.IsCompleted);

        starting!.MemberList.UpdateClusterTopology([starting.MemberList.Self]);

        await start.WaitAsync(ClusterFixture.Soon());
        Assert.True(member.JoinedCluster.IsCompletedSuccessfully);
    }
}
