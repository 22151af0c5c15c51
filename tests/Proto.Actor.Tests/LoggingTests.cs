namespace Proto.Actor.Tests;

public sealed class LoggingTests
{
    [Fact]
    public async Task Logs_go_where_the_systems_configuration_says()
    {
        var (first, second) = (new RecordedLog(), new RecordedLog());
        await using var one = new ActorSystem(ActorSystemConfig.Setup().WithLoggerFactory(first));
        await using var two = new ActorSystem(ActorSystemConfig.Setup().WithLoggerFactory(second));

        Fail(one, "actor of one");

        Assert.Equal("Error: nonhost/actor of one failed on String", await first.Entries.Next());
        Assert.Empty(second.Entries.Drain());
    }

    [Fact]
    public async Task Without_a_logger_factory_the_first_lost_error_says_so_once()
    {
        var console = Console.Error;
        await using var written = new StringWriter();
        Console.SetError(TextWriter.Synchronized(written));
        try
        {
            await using var system = new ActorSystem();
            for (var i = 0; i < 3; i++)
            {
                var pid = Fail(system, $"actor{i}");
                await Probe.Within(system.Root.RequestAsync<Touched>(pid, Touch.Instance));
            }
        }
        finally
        {
            Console.SetError(console);
        }

        Assert.Single(written.ToString().Split("no logger factory").Skip(1));
        Assert.Contains("actor0 failed on String", written.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("actor1", written.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Dead_letters_are_logged_up_to_a_number_per_period_and_the_rest_is_counted()
    {
        var time = new ManualTime();
        var log = new RecordedLog();
        await using var system = new ActorSystem(ActorSystemConfig.Setup()
            .WithLoggerFactory(log)
            .WithTimeProvider(time)
            .WithDeadLetterThrottleCount(2)
            .WithDeadLetterThrottleInterval(TimeSpan.FromSeconds(1)));
        var nobody = new PID(system.Address, "nobody");

        for (var i = 0; i < 5; i++) system.Root.Send(nobody, "lost");
        system.Root.Send(nobody, new Unimportant());
        time.Advance(TimeSpan.FromSeconds(1));
        system.Root.Send(nobody, 1);

        const string lost = "Information: [nonhost] String (no sender) was not delivered to nonhost/nobody: there is no such process";
        Assert.Equal(
            [lost, lost, "Information: 3 more dead letters were not logged", lost.Replace("String", "Int32", StringComparison.Ordinal)],
            log.Entries.Drain().Cast<string>());
    }

    private static PID Fail(ActorSystem system, string name)
    {
        var pid = system.Root.SpawnNamed(
            Props.FromFunc(context => context.Message is "fail" ? throw new InvalidOperationException("asked to fail") : Task.CompletedTask), name);
        system.Root.Send(pid, "fail");
        return pid;
    }

    private sealed class Unimportant : IIgnoreDeadLetterLogging;
}
