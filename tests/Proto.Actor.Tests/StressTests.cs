namespace Proto.Actor.Tests;

public sealed class StressTests
{
    [Fact]
    public async Task Every_request_ends_while_actors_fail_stop_and_are_spawned_again()
    {
        await using var system = TestSystem.Create();
        const int names = 16;
        const int rounds = 300;
        var props = Props
            .FromFunc(async context =>
            {
                switch (context.Message)
                {
                    case int number:
                        if (number % 7 == 0) await Task.Yield();
                        if (number % 31 == 0) throw new InvalidOperationException("asked to fail");
                        context.Respond(number);
                        break;
                }
            })
            .WithGuardianSupervisorStrategy(Supervision.AlwaysRestartStrategy);
        var before = system.ProcessRegistry.ProcessCount;

        async Task<(int Answered, int Dead, int TimedOut)> Client(int seed)
        {
            var random = new Random(seed);
            var (answered, dead, timedOut) = (0, 0, 0);
            for (var round = 0; round < rounds; round++)
            {
                var pid = new PID(system.Address, $"actor{random.Next(names)}");
                switch (random.Next(10))
                {
                    case 0:
                        await Probe.Within(system.Root.StopAsync(pid));
                        break;
                    case 1:
                        system.Root.Poison(pid);
                        break;
                    case 2 or 3:
                        try
                        {
                            system.Root.SpawnNamed(props, pid.Id);
                        }
                        catch (ProcessNameExistException exists)
                        {
                            Assert.Equal(pid.Id, exists.Name);
                        }

                        break;
                    default:
                        var number = random.Next(1000);
                        using (var cancellation = new CancellationTokenSource())
                        {
                            // A message on which the actor fails is never answered; its requester gives up.
                            if (number % 31 == 0) cancellation.Cancel();
                            try
                            {
                                Assert.Equal(number, await Probe.Within(system.Root.RequestAsync<int>(pid, number, cancellation.Token)));
                                answered++;
                            }
                            catch (DeadLetterException)
                            {
                                dead++;
                            }
                            catch (TimeoutException) when (cancellation.IsCancellationRequested)
                            {
                                timedOut++;
                            }
                        }

                        break;
                }
            }

            return (answered, dead, timedOut);
        }

        var results = await Task.WhenAll(Enumerable.Range(1, 8).Select(seed => Task.Run(() => Client(seed))));

        Assert.True(results.Sum(result => result.Answered) > 0);
        Assert.True(results.Sum(result => result.Dead) > 0);
        for (var i = 0; i < names; i++) await Probe.Within(system.Root.StopAsync(new PID(system.Address, $"actor{i}")));
        // The guardian is the one process that stays.
        Assert.Equal(before + 1, system.ProcessRegistry.ProcessCount);
    }

    [Fact]
    public async Task A_chain_of_actors_loses_nothing_under_restarts_of_its_middle()
    {
        await using var system = TestSystem.Create();
        const int count = 50_000;
        var received = 0L;
        var sum = 0L;
        var done = new TaskCompletionSource();
        var end = system.Root.Spawn(Props.FromFunc(context =>
        {
            if (context.Message is int number)
            {
                sum += number;
                if (++received == count) done.SetResult();
            }

            return Task.CompletedTask;
        }));
        var handled = 0;
        var middle = system.Root.Spawn(Props
            .FromFunc(context =>
            {
                if (context.Message is not int number) return Task.CompletedTask;

                context.Send(end, number);
                return ++handled % 1000 == 0 ? throw new InvalidOperationException("fails after its work") : Task.CompletedTask;
            })
            .WithGuardianSupervisorStrategy(Supervision.AlwaysRestartStrategy));

        await Task.WhenAll(Enumerable.Range(0, 4).Select(part => Task.Run(() =>
        {
            for (var i = part; i < count; i += 4) system.Root.Send(middle, i);
        })));
        await Probe.Within(done.Task);

        Assert.Equal((long)count * (count - 1) / 2, sum);
    }

    [Fact]
    public async Task Many_children_stop_with_their_parent()
    {
        await using var system = TestSystem.Create();
        var before = system.ProcessRegistry.ProcessCount;
        var child = Props.FromFunc(_ => Task.CompletedTask);
        var parent = system.Root.Spawn(Props.FromFunc(context =>
        {
            if (context.Message is int count)
            {
                for (var i = 0; i < count; i++) context.Spawn(child);
                context.Respond(context.Children.Count);
            }

            return Task.CompletedTask;
        }));
        Assert.Equal(20_000, await Probe.Within(system.Root.RequestAsync<int>(parent, 20_000, CancellationToken.None)));

        await Probe.Within(system.Root.StopAsync(parent));

        Assert.Equal(before, system.ProcessRegistry.ProcessCount);
    }
}
