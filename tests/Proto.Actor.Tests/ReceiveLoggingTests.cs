using Microsoft.Extensions.Logging;

namespace Proto.Actor.Tests;

public sealed class ReceiveLoggingTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_message_that_takes_too_long_is_reported_while_it_does_and_when_it_is_done(bool forAllActors)
    {
        var time = new ManualTime();
        var log = new RecordedLog();
        var second = TimeSpan.FromSeconds(1);
        await using var system = new ActorSystem(
            (forAllActors ? ActorSystemConfig.Setup().WithLoggerFactory(log).WithDeveloperReceiveLogging(second, LogLevel.Warning) : ActorSystemConfig.Setup().WithLoggerFactory(log))
            .WithTimeProvider(time));
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var entered = new TaskCompletionSource();
        var props = Props.FromFunc(async context =>
        {
            if (context.Message is not "slow") return;
            entered.SetResult();
            await gate.Task;
        });
        var pid = system.Root.SpawnNamed(forAllActors ? props : props.WithDeadlineDecorator(second, log), "actor");
        system.Root.Send(pid, "quick");
        system.Root.Send(pid, "slow");
        await Probe.Within(entered.Task);

        time.Advance(TimeSpan.FromSeconds(3));
        Assert.Equal("Warning: nonhost/actor still handles String after 00:00:01", await log.Entries.Next());
        gate.SetResult();
        Assert.Equal("Warning: nonhost/actor handled String for 00:00:03, longer than 00:00:01", await log.Entries.Next());
    }

    [Fact]
    public async Task A_logging_decorator_tells_what_an_actor_does()
    {
        await using var system = TestSystem.Create();
        var log = new RecordedLog();
        var pid = system.Root.SpawnNamed(
            Props.FromFunc(context =>
            {
                if (context.Message is "ask") context.Respond(1);
                if (context.Message is "spawn") context.Stop(context.SpawnNamed(Props.FromFunc(_ => Task.CompletedTask), "child"));
                return context.Message is "fail" ? throw new InvalidOperationException("asked to fail") : Task.CompletedTask;
            }).WithLoggingContextDecorator(log),
            "actor");

        await Probe.Within(system.Root.RequestAsync<int>(pid, "ask"));
        system.Root.Send(pid, "spawn");
        system.Root.Send(pid, "fail");

        var entries = (await log.Entries.Take(7)).Cast<string>().ToList();
        Assert.StartsWith("Debug: nonhost/actor (FunctionActor) receives String from nonhost/", entries[0], StringComparison.Ordinal);
        Assert.StartsWith("Debug: nonhost/actor: Respond Int32 to nonhost/", entries[1], StringComparison.Ordinal);
        Assert.Equal("Debug: nonhost/actor: SpawnNamed nonhost/actor/child", entries[3]);
        Assert.Equal("Debug: nonhost/actor: Stop nonhost/actor/child", entries[4]);
        Assert.Equal("Error: nonhost/actor (FunctionActor) failed on String", entries[6]);
    }
}
