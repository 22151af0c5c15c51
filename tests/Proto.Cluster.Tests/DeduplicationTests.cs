using Proto.Cluster.Tests.Messages;

namespace Proto.Cluster.Tests;

public sealed class DeduplicationTests
{
    static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    /// <summary>Defect 14 of the original: a retry whose reply was lost is not answered.</summary>
    [Fact]
    public async Task A_retry_whose_reply_was_lost_gets_the_same_reply_and_executes_nothing()
    {
        await using var fixture = new ClusterFixture();
        var lost = 0;
        var counting = Props.FromProducer(() => new CounterActor())
            .WithClusterRequestDeduplication()
            .WithContextDecorator(context => new LosesReplies(context, () => Interlocked.Increment(ref lost) <= 2));
        var member = await fixture.StartMemberAsync(config => config
            .WithActorRequestTimeout(TimeSpan.FromMilliseconds(100))
            .WithClusterKind("once", counting));

        var first = await member.RequestAsync<Total>("x", "once", new Add { Amount = 5 }, ClusterFixture.Soon());
        Assert.Equal(5, first.Amount);
        Assert.Equal(3, lost);
        Assert.Equal(6, (await member.RequestAsync<Total>("x", "once", new Add { Amount = 1 }, ClusterFixture.Soon())).Amount);
    }

    [Fact]
    public async Task A_lost_reply_of_an_actor_that_does_not_deduplicate_is_not_asked_for_again()
    {
        await using var fixture = new ClusterFixture();
        var member = await fixture.StartMemberAsync(config => config
            .WithActorRequestTimeout(TimeSpan.FromMilliseconds(100))
            .WithClusterKind("often", Props.FromProducer(() => new CounterActor()).WithContextDecorator(context => new LosesReplies(context, () => true))));

        await Assert.ThrowsAsync<TimeoutException>(() => member.RequestAsync<Total>("x", "often", new Add { Amount = 5 }, ClusterFixture.Soon()));
    }

    [Fact]
    public async Task A_caller_that_repeats_a_request_under_its_own_id_executes_it_once()
    {
        await using var fixture = new ClusterFixture();
        var member = await fixture.StartMemberAsync(config => config.WithClusterKind(
            "once", Props.FromProducer(() => new CounterActor()).WithClusterRequestDeduplication(Window)));
        var client = await fixture.StartClientAsync();
        var mine = client.System.Root.WithHeaders(new MessageHeader(new Dictionary<string, string> { [RequestId.Header] = "order-17" }));

        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(5, (await client.RequestAsync<Total>("x", "once", new Add { Amount = 5 }, mine, ClusterFixture.Soon())).Amount);
        }

        Assert.Equal(10, (await member.RequestAsync<Total>("x", "once", new Add { Amount = 5 }, ClusterFixture.Soon())).Amount);
    }

    [Fact]
    public async Task A_repetition_during_the_first_execution_waits_for_its_reply()
    {
        var (started, may) = (new TaskCompletionSource(), new TaskCompletionSource());
        var executed = 0;
        await using var system = new ActorSystem();
        var pid = system.Root.Spawn(Props.FromFunc(context =>
        {
            if (context.Message is not Add) return Task.CompletedTask;
            executed++;
            started.TrySetResult();
            context.ReenterAfter(may.Task, () => context.Respond(new Total { Amount = executed }));
            return Task.CompletedTask;
        }).WithClusterRequestDeduplication());
        var root = system.Root.WithHeaders(new MessageHeader(new Dictionary<string, string> { [RequestId.Header] = "1" }));

        var first = root.RequestAsync<Total>(pid, new Add(), ClusterFixture.Soon());
        await started.Task;
        var second = root.RequestAsync<Total>(pid, new Add(), ClusterFixture.Soon());
        // Answered after the second: it has been taken in.
        await system.Root.RequestAsync<Touched>(pid, new Touch(), ClusterFixture.Soon());
        may.SetResult();

        Assert.Equal(1, (await first).Amount);
        Assert.Equal(1, (await second).Amount);
    }

    [Fact]
    public async Task A_request_that_failed_is_executed_again()
    {
        var executed = 0;
        await using var system = new ActorSystem();
        var pid = system.Root.Spawn(Props.FromFunc(context =>
        {
            if (context.Message is not Add) return Task.CompletedTask;
            if (++executed == 1) throw new InvalidOperationException("the first time");
            context.Respond(new Total { Amount = executed });
            return Task.CompletedTask;
        }).WithClusterRequestDeduplication());
        var root = system.Root.WithHeaders(new MessageHeader(new Dictionary<string, string> { [RequestId.Header] = "1" }));

        _ = root.RequestAsync<Total>(pid, new Add(), ClusterFixture.Soon());
        Assert.Equal(2, (await root.RequestAsync<Total>(pid, new Add(), ClusterFixture.Soon())).Amount);
    }

    [Fact]
    public void Requests_are_forgotten_after_the_window()
    {
        var time = new ManualTime();
        var memory = new ReplyMemory(time, Window, maxRequests: 10, maxReplyBytes: 1000);
        Assert.True(memory.TryBegin("a", out var a));
        memory.Replied(a, new Total { Amount = 1 });
        time.Pass(Window);
        Assert.False(memory.TryBegin("a", out _));
        time.Pass(TimeSpan.FromTicks(1));
        Assert.True(memory.TryBegin("a", out _));
        Assert.Equal(0, memory.ReplyBytes);
    }

    [Fact]
    public void Beyond_the_limit_the_oldest_requests_are_forgotten()
    {
        var memory = new ReplyMemory(new ManualTime(), Window, maxRequests: 3, maxReplyBytes: 1000);
        foreach (var id in new[] { "a", "b", "c", "d" }) Assert.True(memory.TryBegin(id, out _));
        Assert.Equal(3, memory.Count);
        Assert.False(memory.TryBegin("b", out _));
        Assert.True(memory.TryBegin("a", out _));
    }

    [Fact]
    public void Replies_that_do_not_fit_are_dropped_and_their_requests_stay_known()
    {
        var reply = new Total { Identity = new string('x', 98) };
        Assert.Equal(100, reply.CalculateSize());
        var memory = new ReplyMemory(new ManualTime(), Window, maxRequests: 10, maxReplyBytes: 250);
        var entries = new List<ReplyMemory.Entry>();
        foreach (var id in new[] { "a", "b", "c" })
        {
            memory.TryBegin(id, out var entry);
            entries.Add(entry);
            memory.Replied(entry, reply);
        }

        Assert.Equal(200, memory.ReplyBytes);
        Assert.Equal([null, reply, reply], entries.Select(entry => entry.Reply));
        Assert.False(memory.TryBegin("a", out _));
    }

    sealed class LosesReplies(IContext context, Func<bool> isLost) : ActorContextDecorator(context)
    {
        public override void Respond(object message)
        {
            if (!isLost()) base.Respond(message);
        }

        public override void Send(PID target, object message)
        {
            if (!isLost()) base.Send(target, message);
        }
    }
}
