using System.Threading.Channels;
using Proto.Cluster.PartitionActivator;
using Proto.Cluster.Placement;
using Proto.Cluster.Tests.Messages;

namespace Proto.Cluster.Tests;

/// <summary>Defect 16 of the original: an actor that cannot start is started in a hot loop, and its caller sees a timeout.</summary>
public sealed class ActivationFailureTests
{
    [Fact]
    public async Task A_constructor_that_throws_is_a_typed_error_with_its_cause_and_no_hot_loop()
    {
        await using var fixture = new ClusterFixture();
        var starts = 0;
        var member = await fixture.StartMemberAsync(config => config.WithClusterKind("broken", Props.FromProducer(IActor () =>
        {
            Interlocked.Increment(ref starts);
            throw new InvalidOperationException("no database");
        })));
        await fixture.StartMemberAsync(config => config.WithClusterKind("other", Props.Empty));

        const int requests = 200;
        for (var i = 0; i < requests; i++)
        {
            // The caller's time does not end: the error is what ends the request.
            var failure = await Assert.ThrowsAsync<ActivationFailedException>(
                () => member.RequestAsync<Total>("x", "broken", new Add(), ClusterFixture.Soon()));
            Assert.Equal("x", failure.Identity.Identity);
            Assert.Equal("InvalidOperationException: no database", failure.Reason);
        }

        Assert.InRange(starts, 1, requests / 2);
        Assert.Equal(0, member.GetClusterKind("broken").Count);
    }

    [Fact]
    public async Task An_actor_that_throws_when_it_starts_is_a_typed_error_on_another_member_too()
    {
        await using var fixture = new ClusterFixture();
        await fixture.StartMemberAsync(config => config.WithClusterKind("broken", Props.FromFunc(context => context.Message is Started
            ? throw new InvalidDataException("its state is damaged")
            : Task.CompletedTask)));
        var client = await fixture.StartClientAsync();

        var failure = await Assert.ThrowsAsync<ActivationFailedException>(
            () => client.RequestAsync<Total>("x", "broken", new Add(), ClusterFixture.Soon()));
        Assert.Equal("InvalidDataException: its state is damaged", failure.Reason);
    }

    [Fact]
    public async Task A_spawner_that_throws_is_a_typed_error_and_ends_nothing_else()
    {
        await using var fixture = new ClusterFixture();
        var member = await fixture.StartMemberAsync(config => ClusterFixture.WithCounter(config).WithClusterKind(
            "broken", Props.FromProducer(() => new CounterActor()).WithSpawner((_, _, _, _, _) => throw new InvalidOperationException("no name left"))));
        Assert.Equal(1, (await AddAsync()).Amount);

        var failure = await Assert.ThrowsAsync<ActivationFailedException>(
            () => member.RequestAsync<Total>("x", "broken", new Add(), ClusterFixture.Soon()));

        Assert.Equal("InvalidOperationException: no name left", failure.Reason);
        Assert.Equal(2, (await AddAsync()).Amount);
        Assert.Equal(0, member.GetClusterKind("broken").Count);

        Task<Total> AddAsync() => member.RequestAsync<Total>("x", CounterActor.Kind, new Add { Amount = 1 }, ClusterFixture.Soon());
    }

    [Fact]
    public async Task What_failed_once_is_tried_again_after_its_pause()
    {
        await using var fixture = new ClusterFixture();
        var isBroken = true;
        var member = await fixture.StartMemberAsync(config => config.WithClusterKind("flaky", Props.FromProducer(
            () => Volatile.Read(ref isBroken) ? throw new InvalidOperationException("not yet") : new CounterActor())));
        await Assert.ThrowsAsync<ActivationFailedException>(() => member.RequestAsync<Total>("x", "flaky", new Add(), ClusterFixture.Soon()));

        Volatile.Write(ref isBroken, false);
        while (true)
        {
            try
            {
                Assert.Equal(1, (await member.RequestAsync<Total>("x", "flaky", new Add { Amount = 1 }, ClusterFixture.Soon())).Amount);
                return;
            }
            catch (ActivationFailedException)
            {
                // Its pause (100 ms at first) is not over.
                await Task.Yield();
            }
        }
    }

    [Fact]
    public async Task A_start_that_succeeded_ends_the_row_of_failures()
    {
        await using var fixture = new ClusterFixture();
        var time = new ShiftedTime();
        var isBroken = true;
        var starts = 0;
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var member = await fixture.StartMemberAsync(
            config => config.WithClusterKind("flaky", Props.FromProducer(() =>
            {
                starts++;
                return isBroken ? throw new InvalidOperationException("not now") : new CounterActor();
            })),
            configureSystem: config => config.WithTimeProvider(time));
        member.System.EventStream.Subscribe<ActivationTerminated>(activation =>
        {
            if (!isBroken) ended.TrySetResult();
        });
        for (var i = 0; i < 6; i++)
        {
            await FailsAsync();
            time.Add(TimeSpan.FromSeconds(10));
        }

        isBroken = false;
        await member.RequestAsync<Total>("x", "flaky", new Add(), ClusterFixture.Soon());
        member.System.Root.Send((await member.GetAsync("x", "flaky", ClusterFixture.Soon()))!, new Vanish());
        await ended.Task.WaitAsync(ClusterFixture.Soon());

        isBroken = true;
        starts = 0;
        await FailsAsync();
        // It is tried again after the first pause, not the seventh (6.4 s).
        time.Add(TimeSpan.FromMilliseconds(100));
        await FailsAsync();
        Assert.Equal(2, starts);

        Task FailsAsync() => Assert.ThrowsAsync<ActivationFailedException>(
            () => member.RequestAsync<Total>("x", "flaky", new Add(), ClusterFixture.Soon()));
    }

    [Fact]
    public async Task An_actor_that_fails_later_is_restarted_and_keeps_its_place()
    {
        await using var fixture = new ClusterFixture();
        var restarts = Channel.CreateUnbounded<PID>();
        var member = await fixture.StartMemberAsync(config => config.WithClusterKind("fails later", Props.FromFunc(context =>
        {
            switch (context.Message)
            {
                case Restarting: restarts.Writer.TryWrite(context.Self); break;
                case Vanish: throw new InvalidOperationException("a bug");
                case Add: context.Respond(new Total()); break;
            }

            return Task.CompletedTask;
        })));
        await member.RequestAsync<Total>("x", "fails later", new Add(), ClusterFixture.Soon());
        var pid = await member.GetAsync("x", "fails later", ClusterFixture.Soon());
        member.System.Root.Send(pid!, new Vanish());

        Assert.Equal(pid, await restarts.Reader.ReadAsync(ClusterFixture.Soon()));
        await member.RequestAsync<Total>("x", "fails later", new Add(), ClusterFixture.Soon());
        Assert.Equal(pid, await member.GetAsync("x", "fails later", ClusterFixture.Soon()));
    }

    [Fact]
    public async Task An_identity_that_was_being_decided_about_when_its_host_was_restarted_is_decided_about_again()
    {
        await using var fixture = new ClusterFixture();
        var deciding = new SemaphoreSlim(0);
        var may = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        var member = await fixture.StartMemberAsync(
            config => config.WithClusterKind(new ClusterKind(CounterActor.Kind, Props.FromProducer(() => new CounterActor())).WithSpawnPredicate(async (_, _) =>
            {
                deciding.Release();
                return await may.Task;
            })),
            configureSystem: config => config.WithConfigureSystemProps((name, props) => name != PartitionActivatorLookup.ActivatorName
                ? props
                : props.WithReceiverMiddleware(next => (context, envelope) => envelope.Message is Vanish
                    ? throw new InvalidOperationException("a bug")
                    : next(context, envelope))));
        var host = PID.FromAddress(member.System.Address, PartitionActivatorLookup.ActivatorName);
        var request = new ActivationRequest { ClusterIdentity = ClusterIdentity.Create("x", CounterActor.Kind) };
        member.System.Root.Send(host, request);
        await deciding.WaitAsync(ClusterFixture.Soon());

        member.System.Root.Send(host, new Vanish());
        var again = member.System.Root.RequestAsync<ActivationResponse>(host, request, ClusterFixture.Soon());
        await deciding.WaitAsync(ClusterFixture.Soon());
        may.SetResult(true);

        Assert.NotNull((await again).Pid);
    }

    public static TheoryData<string, ISupervisorStrategy> StrategiesThatReachFar => new()
    {
        { "escalates", new OneForOneStrategy((_, _) => SupervisorDirective.Escalate, 1, null) },
        { "restarts all children", new AllForOneStrategy((_, _) => SupervisorDirective.Restart, 1, null) },
        { "throws", new OneForOneStrategy((_, _) => throw new InvalidDataException("a user's mistake"), 1, null) },
    };

    [Theory]
    [MemberData(nameof(StrategiesThatReachFar))]
    public async Task The_supervision_of_one_activation_touches_no_other(string name, ISupervisorStrategy strategy)
    {
        await using var fixture = new ClusterFixture();
        var member = await fixture.StartMemberAsync(config => ClusterFixture.WithCounter(config).WithClusterKind(name, Props.FromFunc(context =>
        {
            if (context.Message is Add) context.Respond(new Total());
            return context.Message is Vanish ? throw new InvalidOperationException("a bug") : Task.CompletedTask;
        }).WithGuardianSupervisorStrategy(strategy)));
        Assert.Equal(1, (await AddAsync(CounterActor.Kind)).Amount);
        await AddAsync(name);

        member.System.Root.Send((await member.GetAsync("x", name, ClusterFixture.Soon()))!, new Vanish());

        await AddAsync(name);
        Assert.Equal(2, (await AddAsync(CounterActor.Kind)).Amount);

        Task<Total> AddAsync(string kind) => member.RequestAsync<Total>("x", kind, new Add { Amount = 1 }, ClusterFixture.Soon());
    }

    [Fact]
    public void Pauses_double_with_each_failure_and_end()
    {
        var time = new ManualTime();
        var failures = new StartFailures(time);
        var identity = ClusterIdentity.Create("x", "k");
        Assert.Null(failures.CauseToWait(identity));
        foreach (var pauseMs in new[] { 100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000 })
        {
            failures.Add(identity, new InvalidOperationException("no"));
            time.Pass(TimeSpan.FromMilliseconds(pauseMs - 1));
            Assert.NotNull(failures.CauseToWait(identity));
            time.Pass(TimeSpan.FromMilliseconds(1));
            Assert.Null(failures.CauseToWait(identity));
        }
    }

    [Fact]
    public void Failures_are_remembered_up_to_a_limit()
    {
        var failures = new StartFailures(new ManualTime());
        for (var i = 0; i <= StartFailures.MaxRemembered; i++) failures.Add(ClusterIdentity.Create($"{i}", "k"), new InvalidOperationException("no"));
        Assert.Null(failures.CauseToWait(ClusterIdentity.Create("0", "k")));
        Assert.NotNull(failures.CauseToWait(ClusterIdentity.Create("1", "k")));
        Assert.NotNull(failures.CauseToWait(ClusterIdentity.Create($"{StartFailures.MaxRemembered}", "k")));
    }
}
