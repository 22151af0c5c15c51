using Proto;

namespace Programs;

/// <summary>A parent that decides what becomes of its children.</summary>
public static class Supervised
{
    public static async Task RunAsync(TextWriter output)
    {
        await using var system = new ActorSystem();
        var decider = Supervision.DefaultStrategy;
        var strategy = new OneForOneStrategy(Decide, 3, TimeSpan.FromSeconds(10));
        var props = Props.FromProducer(() => new Parent(output)).WithChildSupervisorStrategy(strategy);
        var parent = system.Root.Spawn(props);

        await output.WriteLineAsync(await system.Root.RequestAsync<string>(parent, new Order("count")));
        await output.WriteLineAsync(await system.Root.RequestAsync<string>(parent, new Order("count")));
        system.Root.Send(parent, new Order("resume"));
        await output.WriteLineAsync(await system.Root.RequestAsync<string>(parent, new Order("count")));
        system.Root.Send(parent, new Order("restart"));
        await output.WriteLineAsync(await system.Root.RequestAsync<string>(parent, new Order("count")));
        await output.WriteLineAsync(await system.Root.RequestAsync<string>(parent, new Order("stop")));
        GC.KeepAlive(decider);
    }

    private static SupervisorDirective Decide(PID pid, Exception reason) => reason switch
    {
        InvalidOperationException => SupervisorDirective.Restart,
        ArgumentException => SupervisorDirective.Resume,
        NotSupportedException => SupervisorDirective.Stop,
        _ => SupervisorDirective.Escalate,
    };

    private record Order(string What);

    private class Parent : IActor
    {
        private readonly TextWriter _output;
        private PID? _child;
        private PID? _waiting;

        public Parent(TextWriter output) => _output = output;

        public Task ReceiveAsync(IContext context)
        {
            switch (context.Message)
            {
                case Started:
                    _child = context.SpawnNamed(Props.FromProducer(() => new Child(_output)), "child");
                    context.Watch(_child);
                    break;
                case Order { What: "stop" } order:
                    _waiting = context.Sender;
                    context.Send(_child!, order);
                    break;
                case Order:
                    context.Forward(_child!);
                    break;
                case Terminated terminated:
                    context.Send(_waiting!, $"{terminated.Who.Id.Split('/')[^1]} terminated: {terminated.Why}, {context.Children.Count} children left");
                    break;
            }

            return Task.CompletedTask;
        }
    }

    private class Child : IActor
    {
        private readonly TextWriter _output;
        private int _count;

        public Child(TextWriter output) => _output = output;

        public Task ReceiveAsync(IContext context)
        {
            switch (context.Message)
            {
                case Restarting:
                    _output.WriteLine("restarting");
                    break;
                case Order { What: "count" }:
                    context.Respond($"count {++_count}");
                    break;
                case Order { What: "resume" }: throw new ArgumentException("resume me");
                case Order { What: "restart" }: throw new InvalidOperationException("restart me");
                case Order { What: "stop" }: throw new NotSupportedException("stop me");
            }

            return Task.CompletedTask;
        }
    }
}
