using Proto.Cluster.Identity;
using Proto.Cluster.Tests.Messages;

namespace Proto.Cluster.Tests;

public sealed class RequestTests
{
    [Fact]
    public async Task Without_a_token_a_request_that_reaches_nobody_ends_with_the_request_timeout_and_says_why()
    {
        await using var fixture = new ClusterFixture();
        var lookup = new NothingFound();
        var member = await fixture.StartMemberAsync(
            config => config.WithActorRequestTimeout(TimeSpan.FromMilliseconds(200)).WithClusterKind("k", Props.Empty), lookup);

        var failure = await Assert.ThrowsAsync<TimeoutException>(() => member.RequestAsync<Total>("x", "k", new Add(), CancellationToken.None));

        Assert.Contains("nothing was executed", failure.Message, StringComparison.Ordinal);
        Assert.Contains("the identity lookup found nothing", failure.Message, StringComparison.Ordinal);
        Assert.True(lookup.Asked > 1);
    }

    [Fact]
    public async Task Legacy_timeouts_are_null_whether_or_not_something_was_sent()
    {
        await using var fixture = new ClusterFixture();
        var member = await fixture.StartMemberAsync(config => config
            .WithLegacyRequestTimeoutBehavior()
            .WithActorRequestTimeout(TimeSpan.FromMilliseconds(200))
            .WithClusterKind("silent", Props.FromFunc(_ => Task.CompletedTask)));

        Assert.Null(await member.RequestAsync<Total>("x", "silent", new Add(), CancellationToken.None));
        using var over = new CancellationTokenSource();
        await over.CancelAsync();
        Assert.Null(await member.RequestAsync<Total>("x", "silent", new Add(), over.Token));
    }

    [Fact]
    public async Task The_configured_cluster_context_serves_all_requests()
    {
        await using var fixture = new ClusterFixture();
        var member = await fixture.StartMemberAsync(config => config.WithClusterContextProducer(_ => new FixedReply()));
        Assert.Equal(42, (await member.RequestAsync<Total>("x", "any kind", new Add(), CancellationToken.None)).Amount);
    }

    [Fact]
    public async Task An_actor_that_is_stopped_with_its_member_still_reaches_others()
    {
        await using var fixture = new ClusterFixture();
        var other = await fixture.StartMemberAsync();
        var said = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);
        var leaving = await fixture.StartMemberAsync(config => config.WithClusterKind("says goodbye", Props.FromFunc(async context =>
        {
            if (context.Message is Add) context.Respond(new Total());
            if (context.Message is not Stopping) return;
            var reply = await context.ClusterRequestAsync<Total>("goodbye", CounterActor.Kind, new Add { Amount = 1 }, ClusterFixture.Soon());
            said.TrySetResult(reply.Amount);
        })));
        await other.RequestAsync<Total>("x", "says goodbye", new Add(), ClusterFixture.Soon());

        await leaving.ShutdownAsync();

        Assert.Equal(1, await said.Task.WaitAsync(ClusterFixture.Soon()));
    }

    [Fact]
    public async Task A_request_that_its_activation_passed_on_to_nobody_may_have_been_executed_and_is_not_sent_again()
    {
        await using var fixture = new ClusterFixture();
        var executed = 0;
        var member = await fixture.StartMemberAsync(config => config.WithClusterKind("passes on", Props.FromFunc(context =>
        {
            if (context.Message is not Add) return Task.CompletedTask;
            Interlocked.Increment(ref executed);
            context.Forward(PID.FromAddress(context.System.Address, "nobody"));
            return Task.CompletedTask;
        })));
        var client = await fixture.StartClientAsync();

        foreach (var cluster in new[] { member, client })
        {
            using var end = new CancellationTokenSource(TimeSpan.FromSeconds(3));
            var unknown = await Assert.ThrowsAsync<TimeoutException>(() => cluster.RequestAsync<Total>("x", "passes on", new Add(), end.Token));
            Assert.Contains("may have been executed", unknown.Message, StringComparison.Ordinal);
        }

        Assert.Equal(2, executed);
    }

    sealed class FixedReply : IClusterContext
    {
        public Task<T?> RequestAsync<T>(ClusterIdentity clusterIdentity, object message, ISenderContext context, CancellationToken ct) =>
            Task.FromResult((T?)(object)new Total { Amount = 42 });
    }

    sealed class NothingFound : IIdentityLookup
    {
        int _asked;

        public int Asked => _asked;

        public Task<PID?> GetAsync(ClusterIdentity clusterIdentity, CancellationToken ct)
        {
            Interlocked.Increment(ref _asked);
            return Task.FromResult<PID?>(null);
        }

        public Task RemovePidAsync(ClusterIdentity clusterIdentity, PID pid, CancellationToken ct) => Task.CompletedTask;

        public Task SetupAsync(Cluster cluster, string[] kinds, bool isClient) => Task.CompletedTask;

        public Task ShutdownAsync() => Task.CompletedTask;
    }
}
