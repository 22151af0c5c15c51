using ActorCluster.Keyspace.Actors;
using Proto;

namespace ActorCluster.Grains.Tests;

public class HostSupervisionTests
{
    [Fact]
    public async Task A_host_that_throws_is_never_restarted_and_says_that_the_node_must_stop()
    {
        var system = new ActorSystem();
        var failed = new TaskCompletionSource<HostActorFailed>(TaskCreationOptions.RunContinuationsAsynchronously);
        var starts = 0;
        system.EventStream.Subscribe<HostActorFailed>(f => failed.TrySetResult(f));
        var props = Props.FromFunc(context =>
        {
            if (context.Message is Started) starts++;
            return context.Message is string ? throw new InvalidDataException("broken") : Task.CompletedTask;
        }).FailingTheNode(system, "host");
        var pid = system.Root.SpawnNamed(props, "host");

        system.Root.Send(pid, "throw");

        var reported = await failed.Task.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(("host", "broken"), (reported.Actor, reported.Error.Message));
        await system.Root.StopAsync(pid).WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(1, starts);
        await system.DisposeAsync();
    }
}
