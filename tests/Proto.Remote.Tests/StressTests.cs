using System.Collections.Concurrent;
using Proto.Remote.Tests.Messages;

namespace Proto.Remote.Tests;

/// <summary>Two systems under load, with receivers that fail, are restarted, and are stopped.</summary>
public sealed class StressTests
{
    const int Senders = 6;
    const int MessagesEach = 4_000;

    [Fact]
    public async Task Each_remote_sender_is_heard_in_order_and_whole_while_the_receiver_fails_and_is_restarted()
    {
        await using var here = await TestNode.StartAsync(systemConfig: Quiet());
        await using var there = await TestNode.StartAsync(systemConfig: Quiet());
        var next = new int[Senders];
        var violations = new ConcurrentQueue<string>();
        var heard = 0;
        var all = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        there.Root.SpawnNamed(
            Props.FromFunc(context =>
            {
                if (context.Message is not Ping ping) return Task.CompletedTask;
                var expected = next[ping.Number / MessagesEach]++;
                if (ping.Number % MessagesEach != expected) violations.Enqueue($"{ping.Number} instead of {expected}");
                if (++heard == Senders * MessagesEach) all.SetResult();
                return heard % 500 == 0 ? throw new InvalidOperationException("fails after its work") : Task.CompletedTask;
            }).WithGuardianSupervisorStrategy(Supervision.AlwaysRestartStrategy),
            "receiver");

        // Half of the senders are actors, the others send from outside.
        await Task.WhenAll(Enumerable.Range(0, Senders).Select(sender => Task.Run(() =>
        {
            var target = there.Of("receiver");
            if (sender % 2 == 0) SendAll(here.Root, target, sender);
            else here.Root.Spawn(Props.FromFunc(context =>
            {
                if (context.Message is Started) SendAll(context, target, sender);
                return Task.CompletedTask;
            }));
        })));
        await all.Task.WaitAsync(TestNode.Soon());

        Assert.Empty(violations);
        Assert.All(next, count => Assert.Equal(MessagesEach, count));
    }

    [Fact]
    public async Task Requests_between_systems_end_once_each_and_leave_nothing_on_either_side()
    {
        const int requests = 30_000;
        var soon = TestNode.Soon();
        await using var here = await TestNode.StartAsync(systemConfig: Quiet());
        await using var there = await TestNode.StartAsync(systemConfig: Quiet());
        there.SpawnEcho();
        there.Root.SpawnNamed(Props.FromFunc(_ => Task.CompletedTask), "silent");
        // Connected in both directions, so that the endpoints' own processes count as there before.
        Assert.Equal(1, (await here.Root.RequestAsync<Pong>(there.Of("echo"), new Ping { Number = 1 }, soon)).Number);
        var before = (here.System.ProcessRegistry.ProcessCount, there.System.ProcessRegistry.ProcessCount);
        using var givesUp = new CancellationTokenSource();

        var answered = new ConcurrentBag<int>();
        var dead = 0;
        await Task.WhenAll(Enumerable.Range(0, Senders).Select(sender => Task.Run(async () =>
        {
            for (var i = sender; i < requests; i += Senders)
            {
                var target = i % 20 == 0 ? "nobody" : "echo";
                var request = here.Root.RequestAsync<Pong>(there.Of(target), new Ping { Number = i }, soon);
                await ((Task)request).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                if (request.IsCompletedSuccessfully) answered.Add((int)request.Result.Number);
                else if (request.Exception?.InnerException is DeadLetterException) Interlocked.Increment(ref dead);
            }
        }))).WaitAsync(soon);
        var unanswered = Enumerable.Range(0, 2_000)
            .Select(i => here.Root.RequestAsync<Pong>(there.Of("silent"), new Ping { Number = i }, givesUp.Token)).ToList();
        // In order behind them: when it answers, they have arrived.
        await here.Root.RequestAsync<Touched>(there.Of("silent"), Touch.Instance, soon);
        Assert.DoesNotContain(unanswered, request => request.IsCompleted);
        givesUp.Cancel();

        Assert.Equal(Enumerable.Range(0, requests).Where(i => i % 20 != 0), answered.Order());
        Assert.Equal(requests / 20, dead);
        Assert.All(unanswered, request => Assert.IsType<TimeoutException>(request.Exception!.InnerException));
        Assert.Equal(before, (here.System.ProcessRegistry.ProcessCount, there.System.ProcessRegistry.ProcessCount));
    }

    static void SendAll(ISenderContext context, PID target, int sender)
    {
        for (var number = 0; number < MessagesEach; number++) context.Send(target, new Ping { Number = sender * MessagesEach + number });
    }

    static ActorSystemConfig Quiet() =>
        ActorSystemConfig.Setup().WithLoggerFactory(Microsoft.Extensions.Logging.Abstractions.NullLoggerFactory.Instance);
}
