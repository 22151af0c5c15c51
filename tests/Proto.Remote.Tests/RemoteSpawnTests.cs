using Proto.Remote.Tests.Messages;

namespace Proto.Remote.Tests;

public sealed class RemoteSpawnTests
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task An_actor_without_a_name_gets_one_where_it_runs()
    {
        await using var a = await TestNode.StartAsync();
        await using var b = await TestNode.StartAsync(config => config.WithRemoteKinds(("echo", Echo), ("other", Echo)));

        var one = await a.System.Remote().SpawnAsync(b.Address, "echo", Patience);
        var two = await a.System.Remote().SpawnAsync(b.Address, "echo", Patience);

        Assert.Equal((int)ResponseStatusCode.OK, one.StatusCode);
        Assert.Equal(b.Address, one.Pid.Address);
        Assert.NotEqual(one.Pid.Id, two.Pid.Id);
        Assert.Equal(3, (await a.Root.RequestAsync<Pong>(two.Pid, new Ping { Number = 3 }, TestNode.Soon())).Number);
    }

    [Fact]
    public async Task A_name_that_exists_is_answered_with_the_actor_that_has_it()
    {
        await using var a = await TestNode.StartAsync();
        await using var b = await TestNode.StartAsync(config => config.WithRemoteKind("echo", Echo));
        var first = await a.System.Remote().SpawnNamedAsync(b.Address, "mine", "echo", Patience);

        var second = await a.System.Remote().SpawnNamedAsync(b.Address, "mine", "echo", Patience);

        Assert.Equal((int)ResponseStatusCode.ProcessNameAlreadyExist, second.StatusCode);
        Assert.Equal(first.Pid, second.Pid);
    }

    [Theory]
    [InlineData("no such kind", "x")]
    [InlineData("failing", "x")]
    [InlineData("echo", "$activator")]
    [InlineData("echo", "$client/x/y")]
    public async Task What_cannot_be_spawned_is_answered_with_an_error_and_the_activator_goes_on(string kind, string name)
    {
        var failing = Echo.WithSpawner((_, _, _, _, _) => throw new InvalidOperationException("no"));
        await using var a = await TestNode.StartAsync();
        await using var b = await TestNode.StartAsync(config => config.WithRemoteKinds(("echo", Echo), ("failing", failing)));

        var refused = await a.System.Remote().SpawnNamedAsync(b.Address, name, kind, Patience);

        Assert.Equal((int)ResponseStatusCode.Error, refused.StatusCode);
        Assert.Null(refused.Pid);
        Assert.Equal((int)ResponseStatusCode.OK, (await a.System.Remote().SpawnNamedAsync(b.Address, "fine", "echo", Patience)).StatusCode);
    }

    [Fact]
    public async Task A_spawn_at_an_address_where_nobody_listens_certainly_spawned_nothing()
    {
        await using var a = await TestNode.StartAsync();
        using var port = new SilentPort();

        await Assert.ThrowsAsync<DeadLetterException>(() => a.System.Remote().SpawnAsync(port.Of("x").Address, "echo", Patience));
    }

    [Fact]
    public async Task The_activators_props_can_be_configured()
    {
        var seen = new TaskCompletionSource<object?>(TaskCreationOptions.RunContinuationsAsynchronously);
        var system = new ActorSystemConfig().WithConfigureSystemProps((name, props) => name != "$activator" ? props : props.WithReceiverMiddleware(
            next => (context, envelope) =>
            {
                if (envelope.Message is ActorPidRequest) seen.TrySetResult(envelope.Message);
                return next(context, envelope);
            }));
        await using var a = await TestNode.StartAsync();
        await using var b = await TestNode.StartAsync(config => config.WithRemoteKind("echo", Echo), systemConfig: system);

        await a.System.Remote().SpawnNamedAsync(b.Address, "mine", "echo", Patience);

        Assert.Equal(new ActorPidRequest { Kind = "echo", Name = "mine" }, await seen.Task.WaitAsync(TestNode.Soon()));
    }

    static Props Echo => Props.FromFunc(context =>
    {
        if (context.Message is Ping ping) context.Respond(new Pong { Number = ping.Number });
        return Task.CompletedTask;
    });
}
