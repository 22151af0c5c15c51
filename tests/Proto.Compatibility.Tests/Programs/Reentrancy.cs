using Proto;

namespace Programs;

/// <summary>An actor that waits for others without blocking its own mailbox.</summary>
public static class Reentrancy
{
    public static async Task RunAsync(TextWriter output)
    {
        await using var system = new ActorSystem();
        var gate = new TaskCompletionSource<int>();
        var slow = system.Root.Spawn(Props.FromFunc(context =>
        {
            if (context.Message is int number) context.Respond(number * 10);
            return Task.CompletedTask;
        }));
        var pid = system.Root.Spawn(Props.FromFunc(context =>
        {
            switch (context.Message)
            {
                case "wait":
                    context.ReenterAfter(gate.Task, async task => context.Respond($"waited for {await task}"));
                    break;
                case int number:
                    context.RequestReenter<int>(slow, number, async answer => context.Respond($"{number} became {await answer}"), CancellationTokens.FromSeconds(5));
                    break;
                case "quick":
                    context.Respond("quick answer");
                    break;
            }

            return Task.CompletedTask;
        }));

        var waiting = system.Root.RequestAsync<string>(pid, "wait", CancellationTokens.FromSeconds(10));
        await output.WriteLineAsync(await system.Root.RequestAsync<string>(pid, "quick", CancellationTokens.FromSeconds(10)));
        await output.WriteLineAsync(await system.Root.RequestAsync<string>(pid, 4, CancellationTokens.FromSeconds(10)));
        gate.SetResult(7);
        await output.WriteLineAsync(await waiting);
    }
}
