namespace Proto.Actor.Tests.Router;

/// <summary>Collects numbers, tells them when asked for "received", and answers anything else with its PID.</summary>
internal sealed class Routee : IActor
{
    private readonly List<int> _received = [];

    public static PID[] SpawnMany(ActorSystem system, int count) =>
        [.. Enumerable.Range(0, count).Select(_ => system.Root.Spawn(Props.FromProducer(() => new Routee())))];

    public static Task<List<int>> Received(ActorSystem system, PID routee) => Probe.Within(system.Root.RequestAsync<List<int>>(routee, "received"));

    public Task ReceiveAsync(IContext context)
    {
        switch (context.Message)
        {
            case int number:
                _received.Add(number);
                break;
            case "received":
                context.Respond(_received.ToList());
                break;
            case not SystemMessage when context.Sender is not null:
                context.Respond(context.Self);
                break;
        }

        return Task.CompletedTask;
    }
}
