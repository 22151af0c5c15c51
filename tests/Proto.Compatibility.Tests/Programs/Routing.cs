using Proto;
using Proto.Router;
using Proto.Router.Messages;

namespace Programs;

public static class Routing
{
    public static async Task RunAsync(TextWriter output)
    {
        await using var system = new ActorSystem();
        var context = new RootContext(system);
        var worker = Props.FromProducer(() => new Worker());

        await AskAsync("round robin pool", context.Spawn(context.NewRoundRobinPool(worker, 3)), 6);
        await AskAsync("consistent hash pool", context.Spawn(context.NewConsistentHashPool(worker, 3)), 6);
        await AskAsync("random pool", context.Spawn(context.NewRandomPool(worker, 3, 0)), 6);

        var members = Enumerable.Range(0, 3).Select(_ => context.Spawn(worker)).ToArray();
        var group = context.Spawn(context.NewRoundRobinGroup(members));
        await AskAsync("round robin group", group, 3);

        context.Send(group, new RouterAddRoutee(context.Spawn(worker)));
        var routees = await context.RequestAsync<Routees>(group, new RouterGetRoutees(), TimeSpan.FromSeconds(5));
        await output.WriteLineAsync($"group has {routees.Pids.Count} routees");

        var broadcast = context.Spawn(context.NewBroadcastGroup(members));
        context.Send(broadcast, new Job("all"));
        await AskAsync("after broadcast", group, 1);

        async Task AskAsync(string name, PID router, int jobs)
        {
            var by = new HashSet<string>();
            for (var i = 0; i < jobs; i++) by.Add(await context.RequestAsync<string>(router, new Job($"{i % 2}"), TimeSpan.FromSeconds(5)));
            await output.WriteLineAsync($"{name}: {jobs} jobs, {(by.Count <= 3 ? "at most three" : "too many")} workers");
        }
    }

    private record Job(string Key) : IHashable
    {
        public string HashBy() => Key;
    }

    private class Worker : IActor
    {
        public Task ReceiveAsync(IContext context)
        {
            if (context.Message is Job && context.Sender is not null) context.Respond(context.Self.Id);
            return Task.CompletedTask;
        }
    }
}
